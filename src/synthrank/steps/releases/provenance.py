"""Provenance of a run under the names of ir_metadata: platform, implementation, goal, method and data."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank import __version__
from synthrank.config.base import Entity, load, read_yaml
from synthrank.config.corpora import BeirCorpus, CorpusSpec, DocumentationCorpus, IrdsCorpus
from synthrank.config.rankers import RankerSpec
from synthrank.config.retrievers import RetrieverSpec
from synthrank.config.testsets import TestsetSpec
from synthrank.data.files import sha256_of
from synthrank.runtime.machine import commit_of, hardware, operating_system
from synthrank.steps.releases.cards import figures, recipe_of

TO_DO = "TO DO"
"""Placeholder for values that only the publisher of the runs knows."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A test set with its files: entity files, qrels, queries, and the first stage's entity file if it has one."""

    testset: Path
    corpus: Path
    qrels: Path
    queries: Path
    first_stage: Path | None


def platform_of(environment: Path) -> dict[str, Any]:
    """Return the machine, and the pinned libraries of the environment that made the runs."""
    *_, python = read_yaml(environment)["dependencies"]
    return {
        "hardware": hardware(),
        "operating system": operating_system(),
        "software": {"libraries": {"python": [f"python=={platform.python_version()}", *sorted(python["pip"])]}},
    }


def implementation_of(made: str) -> dict[str, Any]:
    """Return the command that produces a run, and the version and commit of this code."""
    source = {"lang": ["python"], "repository": f"synthrank {__version__}, address {TO_DO}"}
    commit = commit_of(Path(__file__))
    return {"executable": {"cmd": made}, "source": source | ({"commit": commit} if commit else {})}


def goal_of(measures: Sequence[str], first_stage: Path | None) -> dict[str, Any]:
    """Return the measures of a run, and its first stage as the baseline if it has one."""
    evaluation = {"reported measures": list(measures), "baseline": [first_stage.stem] if first_stage else []}
    return {"venue": {"name": TO_DO}, "publication": {"url": TO_DO}, "evaluation": evaluation}


def method_of(name: str, settings: RankerSpec, tested: Tested, *, is_fused: bool) -> dict[str, Any]:
    """Return the stages of a run: first stage, ranker, and the fusion of both if the run is fused."""
    stages = list(_stages(name, settings, tested))
    if is_fused and settings.rerank is not None and tested.first_stage is not None:
        mix = settings.rerank.mix
        stages.append(
            {
                "name": f"{name}+{tested.first_stage.stem}",
                "method": "weighted mean of standardised scores" if mix else "reciprocal rank fusion",
                "params": mix.model_dump(mode="json") if mix else {"k": settings.rerank.fusion_k},
                "interpolates": [name, tested.first_stage.stem],
            }
        )
    ties = "ascending passage id; scores strictly decrease as 32-bit floats"
    return {"automatic": True, "score ties": ties, "retrieval": stages}


def _stages(name: str, settings: RankerSpec, tested: Tested) -> Iterator[Mapping[str, Any]]:
    """Yield the first stage, if the ranker reorders one, and the ranker."""
    stage: dict[str, Any] = {"name": name, "method": settings.architecture, "params": _plain(settings)}
    testset: TestsetSpec = load(TestsetSpec, tested.testset)
    reranked = testset.reranked(settings.rerank)
    if tested.first_stage is not None and reranked is not None:
        first = load(RetrieverSpec, tested.first_stage)
        yield {"name": tested.first_stage.stem, "method": first.kind, "params": _plain(first)}
        stage |= {"reranks": tested.first_stage.stem, "depth": reranked[1]}
    yield stage


def collection_of(tested: Tested) -> dict[str, Any]:
    """Return the description of a test set, with the hashes of its qrels and queries."""
    testset: TestsetSpec = load(TestsetSpec, tested.testset)
    return {
        "name": tested.testset.stem,
        **_origin(load(CorpusSpec, tested.corpus), testset.split),
        "split": testset.split,
        "qrels": f"sha256:{sha256_of(tested.qrels)}",
        "topics": f"sha256:{sha256_of(tested.queries)}",
        "relevance level": testset.relevance_level,
    }


def _origin(corpus: CorpusSpec, split: str) -> dict[str, str]:
    """Return the source of the tested split of a corpus, and its id in ir_datasets if it has one."""
    if isinstance(corpus, IrdsCorpus):
        return {"source": f"ir_datasets {corpus.dataset}", "ir_datasets": corpus.splits[split]}
    if isinstance(corpus, BeirCorpus):
        return {"source": f"folder {corpus.folder} in the layout of BEIR"}
    if isinstance(corpus, DocumentationCorpus):
        return {"source": "documentation of " + ", ".join(f"{item.package} {item.version}" for item in corpus.archives)}
    return {"source": f"{corpus.corpus}, with each passage also as rewritten by {corpus.paradigm}"}


def training_of(recipe: str, llm: str, seed: int, spec: Sequence[Path], stats: Sequence[Path]) -> list[dict[str, Any]]:
    """Return a list with the description of the training set; empty for an untrained model."""
    return [
        {
            "name": recipe,
            "source": recipe_of(recipe, path).corpus,
            "language model": llm,
            "seed": seed,
            "recipe": _plain(recipe_of(recipe, path)),
            "counts": dict(figures(json.loads(counted.read_text(encoding="utf-8")))),
        }
        for path, counted in zip(spec, stats, strict=True)
    ]


def _plain(entity: Entity) -> dict[str, Any]:
    return entity.model_dump(mode="json", exclude_none=True)
