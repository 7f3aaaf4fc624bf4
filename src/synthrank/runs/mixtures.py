"""How much a reranker's score counts beside its first stage's: chosen on a development split."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl
from synthrank.fusion import weighted_fusion
from synthrank.measures import measure_run
from synthrank.records import Query
from synthrank.specs.rankers import Mix
from synthrank.trec import Qrels, Run, read_qrels, read_run


@dataclass(frozen=True, slots=True)
class Development:
    """The judged queries of a development split, and a first stage's run of them; ``name`` is ``CORPUS/SPLIT``."""

    name: str
    queries: tuple[Query, ...]
    qrels: Qrels
    passages: Path
    first_stage: Run


def open_development(files: list[Path]) -> Development:
    """Read a development split.

    Args:
        files: queries (in ``CORPUS/SPLIT/``), qrels, passages and the first stage's run.

    Raises:
        BudgetError: no query of the split is judged.
    """
    queries, qrels, passages, run = files
    judged = read_qrels(qrels)
    asked = tuple(query for query in read_jsonl(queries, Query) if query.id in judged)
    if not asked:
        raise BudgetError(f"{qrels}: no query of {queries} is judged; no weight can be chosen on it")
    held = {query.id: judged[query.id] for query in asked}
    return Development("/".join(queries.parts[-3:-1]), asked, held, passages, read_run(run))


def choose_weight(mix: Mix, reranked: Run, development: Development) -> dict[str, Any]:
    """Return the weight of the highest mean on the development split, of equal ones the lowest, and all trials.

    Args:
        mix: the weights to try, and the measure.
        reranked: the ranker's lists of the split's queries.
        development: the split.
    """
    trials = []
    for weight in mix.weights:
        fused = weighted_fusion(reranked, development.first_stage, weight)
        value = fmean(value for *_, value in measure_run(fused, development.qrels, [mix.measure], 1))
        trials.append({"weight": weight, "value": value})
    return {
        "weight": min(trials, key=lambda trial: (-trial["value"], trial["weight"]))["weight"],
        "split": development.name,
        "queries": len(development.queries),
        "measure": mix.measure,
        "trials": trials,
    }
