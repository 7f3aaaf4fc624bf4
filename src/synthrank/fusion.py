"""Fusion of runs: by reciprocal ranks, with trectools, or by weighted scores."""

from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from synthrank.texts import chunks
from synthrank.trec import Run

FloatArray = npt.NDArray[np.float64]

QUERIES_AT_ONCE = 1000
"""Queries whose fused lists are a frame at a time: trectools holds a row as a tuple of six first."""


def reciprocal_rank_fusion(runs: Sequence[Run], k: int) -> Run:
    """Return the sum of 1 / (k + rank) over the runs that list a passage (Cormack, Clarke and Büttcher 2009).

    Args:
        runs: two or more runs, each list best first.
        k: dampens the top ranks; 60 in the paper.

    Returns:
        A run of every query that any of the runs has, best first. trectools reads the first 1000 passages of a list.
    """
    from trectools.fusion import reciprocal_rank_fusion as trectools_rrf  # seconds that other steps need not wait

    fused: Run = defaultdict(list)
    longest = sum(max(map(len, run.values()), default=0) for run in runs)
    listed = sorted({query for run in runs for query, ranked in run.items() if ranked})
    for queries in chunks(listed, QUERIES_AT_ONCE):
        rows = trectools_rrf([_lists(run, queries) for run in runs], k=k, max_docs=longest).run_data
        for query, passage, score in zip(rows["query"], rows["docid"], rows["score"].tolist(), strict=True):
            fused[query].append((passage, score))
    return dict(fused)


def weighted_fusion(reranked: Run, first_stage: Run, weight: float) -> Run:
    """Return the weighted mean of the standardised scores of a reranker and its first stage, best first.

    Scores of each list are brought to mean 0 and variance 1 over the passages that the reranker scored (equal scores
    to 0), and its score gets ``weight``, the first stage's the rest. The passages that only the first stage lists
    follow in its order.

    Args:
        reranked: the reranker's lists, each of passages that the first stage lists too.
        first_stage: the first stage's lists, best first.
        weight: from 0 to 1.
    """
    fused: Run = {}
    for query, ranked in reranked.items():
        score_of, first_of = dict(ranked), dict(first_stage[query])
        names = sorted(score_of)
        ours, theirs = (_standardised([scores[name] for name in names]) for scores in (score_of, first_of))
        mixed = weight * ours + (1 - weight) * theirs
        top = sorted(zip(names, mixed.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
        rest = [name for name, _ in first_stage[query] if name not in score_of]
        end = top[-1][1] if top else 0.0
        fused[query] = [*top, *((name, end - place) for place, name in enumerate(rest, 1))]
    return fused


def _standardised(scores: Sequence[float]) -> FloatArray:
    array = np.asarray(scores, dtype=np.float64)
    return (array - array.mean()) / array.std() if len(array) and np.ptp(array) > 0 else np.zeros_like(array)


def _lists(run: Run, queries: Sequence[str]) -> SimpleNamespace:
    """Return some queries of a run, as much of a TrecRun as trectools' fusion calls.

    A TrecRun searches its whole frame for each query, which grows with the square of the queries: fusing four runs of
    1000 queries to depth 100 took 22 s against 0.8. Its own reader would also guess types and turn "007" into 7.
    """
    return SimpleNamespace(
        topics=lambda: [query for query in queries if run.get(query)],
        get_top_documents=lambda query, n: [passage for passage, _ in run.get(query, [])[:n]],
    )
