"""How much a reranker's score counts beside its first stage's: chosen on a development split."""

from statistics import fmean
from typing import Any

from synthrank.fusion import weighted_fusion
from synthrank.measures import measure_run
from synthrank.rankers.development import Development
from synthrank.specs.rankers import Mix
from synthrank.trec import Run


def choose_weight(mix: Mix, reranked: Run, development: Development) -> dict[str, Any]:
    """Return the weight of the highest mean on the development split, of equal ones the lowest, and all trials.

    Args:
        mix: the weights to try, and the measure.
        reranked: the ranker's lists of the split's queries.
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
