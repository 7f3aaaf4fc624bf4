"""Step choose_weight: how much a reranker's score counts beside its first stage's, chosen on a development split."""

from pathlib import Path
from statistics import fmean

from synthrank.errors import BudgetError, ConfigError
from synthrank.files import read_jsonl, write_json
from synthrank.fusion import weighted_fusion
from synthrank.measures import measure_run
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.records import Query
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.trec import read_qrels, read_run


def choose_weight(
    *,
    checkpoint: Path,
    ranker: Path,
    seed: int,
    queries: Path,
    qrels: Path,
    passages: Path,
    first_stage: Path,
    weight: Path,
) -> None:
    """Measure every weight of ``rerank.mix`` on the development split, and write all of them and the best one.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, with ``rerank.mix``.
        seed: draws a head that an untrained model lacks.
        queries: the queries of the split.
        qrels: their judgments.
        passages: the collection.
        first_stage: the run that is reordered.
        weight: written: JSON with ``weight``, and ``trials``, the mean of the measure at each weight.

    Raises:
        BudgetError: no query of the split is judged.
        ConfigError: the ranker mixes nothing.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if spec.rerank is None or spec.rerank.mix is None:
        raise ConfigError(f"{ranker}: rerank.mix: is missing; without it there is no weight to choose")
    mix, judged = spec.rerank.mix, read_qrels(qrels)
    asked = tuple(query for query in read_jsonl(queries, Query) if query.id in judged)
    if not asked:
        raise BudgetError(f"{qrels}: no query of {queries} is judged; no weight can be chosen on it")
    listed = read_run(first_stage)
    run = open_ranker(spec, checkpoint, seed).rank(Collection(asked, passages, listed))
    judged = {query.id: judged[query.id] for query in asked}
    trials = []
    for share in mix.weights:
        fused = weighted_fusion(run, listed, share)
        trials.append((fmean(value for *_, value in measure_run(fused, judged, [mix.measure], 1)), share))
    _, chosen = min(trials, key=lambda trial: (-trial[0], trial[1]))
    write_json(
        weight,
        {
            "weight": chosen,
            "split": "/".join(queries.parts[-3:-1]),
            "queries": len(asked),
            "measure": mix.measure,
            "depth": spec.rerank.depth,
            "trials": [{"weight": share, "value": value} for value, share in trials],
        },
    )
