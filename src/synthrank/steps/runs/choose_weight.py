"""Step choose_weight: choose the weight of a reranker's score against its first stage's, on a development split."""

from pathlib import Path
from statistics import fmean
from typing import Any

from synthrank.config.base import load
from synthrank.config.rankers import Mix, RankerSpec
from synthrank.data.files import write_json
from synthrank.data.fusion import weighted_fusion
from synthrank.data.trec import Run
from synthrank.errors import ConfigError
from synthrank.rankers import open_ranker
from synthrank.rankers.development import Development, open_development
from synthrank.stats.measures import measure_run


def choose_weight(*, checkpoint: Path, ranker: Path, seed: int, development: list[Path], weight: Path) -> None:
    """Reorder the development split, and choose the weight on it.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, with ``rerank.mix``.
        seed: initialises the head of a model without one.
        development: queries, qrels, passages and the run to reorder.
        weight: the file to write: the weight, and the value of each weight tried.

    Raises:
        ConfigError: the ranker has no ``rerank.mix``.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if spec.rerank is None or spec.rerank.mix is None:
        raise ConfigError(f"{ranker}: rerank.mix is missing; only a ranker with rerank.mix needs a weight")
    split = open_development(*development)
    found = open_ranker(spec, checkpoint, seed).rank(split.collection)
    write_json(weight, best_weight(spec.rerank.mix, found, split))


def best_weight(mix: Mix, reranked: Run, development: Development) -> dict[str, Any]:
    """Return the weight with the highest mean on the development split (the lowest of equal weights), and all trials.

    Args:
        mix: the weights to try, and the measure.
        reranked: the ranker's run for the queries of the split.
        development: the split.
    """
    trials = []
    for weight in mix.weights:
        fused = weighted_fusion(reranked, development.collection.first_stage, weight)
        value = fmean(value for *_, value in measure_run(fused, development.qrels, [mix.measure], 1))
        trials.append({"weight": weight, "value": value})
    return {
        "weight": min(trials, key=lambda trial: (-trial["value"], trial["weight"]))["weight"],
        "split": development.name,
        "queries": len(development.qrels),
        "measure": mix.measure,
        "trials": trials,
    }
