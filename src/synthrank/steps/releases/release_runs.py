"""Step release_runs: publish a ranker's runs on a suite, each with a header of its provenance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import atomic_path, text_lines
from synthrank.steps.releases.cards import write_card, write_checksums
from synthrank.steps.releases.ir_metadata import annotate, tag_of
from synthrank.steps.releases.provenance import (
    TO_DO,
    Tested,
    collection_of,
    goal_of,
    implementation_of,
    method_of,
    platform_of,
    training_of,
)


@dataclass(frozen=True, slots=True)
class ReleasedRun:
    """A row of the card's list of runs."""

    name: str
    queries: int
    lines: int
    tag: str


def release_runs(
    *,
    runs: list[Path],
    fused: list[Path],
    suite: str,
    ranker: Path,
    recipe: str,
    llm: str,
    seed: int,
    spec: list[Path],
    stats: list[Path],
    testsets: list[Path],
    corpora: list[Path],
    qrels: list[Path],
    queries: list[Path],
    first_stages: list[Path],
    measures: list[str],
    environment: Path,
    template: Path,
    release: Path,
) -> None:
    """Write a folder that can be published: every run with a header of ir_metadata, a card, checksums.

    The header has the commit of this job. It also fits the runs: if their code had changed since, Snakemake would have
    rerun them.

    Args:
        runs: per test set, the ranker's run.
        fused: per test set, the run fused with its first stage; empty for a ranker that searches.
        suite: the suite's name.
        ranker: the ranker's entity file.
        recipe: the recipe's name; ``none`` for an untrained model.
        llm: the name of the LLM that generated or ranked passages of the training set; ``none`` without an LLM.
        seed: the training seed.
        spec: the recipe's entity file, if there is a recipe.
        stats: the counts of the training set, if there is a training set.
        testsets: the test sets' entity files.
        corpora: per test set, the entity file of its corpus.
        qrels: per test set, its qrels.
        queries: per test set, its queries.
        first_stages: per test set, the entity file of the retriever whose run is reordered; empty for a ranker that
            searches.
        measures: names of the measures of the runs, for ir_measures.
        environment: the environment file of the stage that made the runs.
        template: the template of the card.
        release: the folder to write.

    Raises:
        DataError: a run is missing.
        BudgetError: a run is empty.
    """
    settings: RankerSpec = load(RankerSpec, ranker)
    firsts: Sequence[Path | None] = first_stages or [None] * len(testsets)
    fusions: Sequence[Path | None] = fused or [None] * len(testsets)
    tested = [Tested(*item) for item in zip(testsets, corpora, qrels, queries, firsts, strict=True)]
    shared = {"platform": platform_of(environment), "actor": {"name": TO_DO, "role": "experimenter"}}
    training = training_of(recipe, llm, seed, spec, stats)
    with atomic_path(release) as folder:
        folder.mkdir()
        released = []
        for item, plain, mixed in zip(tested, runs, fusions, strict=True):
            made = {item.testset.stem: plain}
            if mixed and item.first_stage:
                made[f"{item.testset.stem}+{item.first_stage.stem}"] = mixed
            for name, path in made.items():
                components = shared | {
                    "research goal": goal_of(measures, item.first_stage),
                    "implementation": implementation_of(f"snakemake --cores 1 -- {path}"),
                    "method": method_of(ranker.stem, settings, item, is_fused=path == mixed),
                    "data": {"test collection": collection_of(item), "training data": training},
                }
                annotate(path, folder / f"{name}.trec", components)
                released.append(_released(f"{name}.trec", path))
        trained = "untrained" if recipe == "none" else f"trained on {recipe}, seed {seed}"
        write_card(folder, template, ranker=ranker.stem, suite=suite, training=trained, runs=released)
        write_checksums(folder)


def _released(name: str, path: Path) -> ReleasedRun:
    names = [line.split(maxsplit=1)[0] for _, line in text_lines(path)]
    return ReleasedRun(name, len(set(names)), len(names), tag_of(path))
