"""Step release_runs: a ranker's runs on a suite, each with a header that says how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import atomic_path, text_lines
from synthrank.releases.cards import write_card, write_checksums
from synthrank.releases.primad import annotate, tag_of
from synthrank.releases.provenance import (
    TO_DO,
    Tested,
    collection_of,
    goal_of,
    implementation_of,
    method_of,
    platform_of,
    training_of,
)
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec


@dataclass(frozen=True, slots=True)
class Told:
    """A run as the card lists it."""

    name: str
    queries: int
    lines: int
    tag: str


def release_runs(
    *,
    runs: Path,
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

    The commit is that of this job. What it changed in the code behind the runs would have made Snakemake rerun them.

    Args:
        runs: the folder that gather_suite or merge_suite made.
        suite: the suite's name.
        ranker: the ranker's entity file.
        recipe: the recipe's name, ``none`` for a model that was not trained.
        llm: the name of the LLM that wrote or ordered passages of the training set, ``none`` where none did.
        seed: the training seed.
        spec: the recipe's entity file, where there is one.
        stats: what was counted while the training set was made, where there is one.
        testsets: the test sets' entity files.
        corpora: for each test set the entity file of its corpus.
        qrels: for each test set its qrels.
        queries: for each test set its queries.
        first_stages: for each test set the entity file of the retriever whose run is reordered; empty for a ranker that
            searches.
        measures: what the runs are measured by, as ir_measures names it.
        environment: the environment file of the stage that made the runs.
        template: that of the card.
        release: written: the folder.

    Raises:
        DataError: there is no run for a test set.
        BudgetError: a run has no line.
    """
    settings: RankerSpec = load(RankerSpec, ranker)
    firsts: Sequence[Path | None] = first_stages or [None] * len(testsets)
    tested = [Tested(*item) for item in zip(testsets, corpora, qrels, queries, firsts, strict=True)]
    made = f"snakemake --cores 1 -- results/runs/suites/{suite}/{recipe}/{llm}/{ranker.stem}/seed-{seed}"
    shared = {
        "platform": platform_of(environment),
        "implementation": implementation_of(made),
        "actor": {"name": TO_DO, "role": "experimenter"},
    }
    training = training_of(recipe, llm, seed, spec, stats)
    with atomic_path(release) as folder:
        folder.mkdir()
        told = []
        for item in tested:
            for path in _found(runs, item.testset):
                components = shared | {
                    "research goal": goal_of(measures, item.first_stage),
                    "method": method_of(ranker.stem, settings, item, path),
                    "data": {"test collection": collection_of(item), "training data": training},
                }
                annotate(path, folder / path.name, components)
                told.append(_told(path))
        trained = "untrained" if recipe == "none" else f"trained on {recipe}, seed {seed}"
        write_card(folder, template, ranker=ranker.stem, suite=suite, training=trained, runs=told)
        write_checksums(folder)


def _found(runs: Path, testset: Path) -> list[Path]:
    """Return the run of a test set, and that fused with its first stage's where there is one."""
    alone = runs / f"{testset.stem}.trec"
    if not alone.is_file():
        raise DataError(f"{alone}: is missing; expected one run for each test set of the suite")
    return [alone, *sorted(runs.glob(f"{testset.stem}+*.trec"))]


def _told(path: Path) -> Told:
    names = [line.split(maxsplit=1)[0] for _, line in text_lines(path)]
    return Told(path.name, len(set(names)), len(names), tag_of(path))
