"""Fusion of runs, by trectools."""

from collections import defaultdict
from collections.abc import Sequence

import pandas as pd
from trectools import TrecRun
from trectools.fusion import reciprocal_rank_fusion as trectools_rrf

from synthrank.trec import Run

COLUMNS = ("query", "q0", "docid", "rank", "score", "system")


def reciprocal_rank_fusion(runs: Sequence[Run], k: int) -> Run:
    """Return the sum of 1 / (k + rank) over the runs that list a passage (Cormack, Clarke and Büttcher 2009).

    Args:
        runs: two or more runs, each list best first.
        k: dampens the top ranks; 60 in the paper.

    Returns:
        A run of every query that any of the runs has, best first. trectools reads the first 1000 passages of a list.
    """
    if not _longest(runs):
        return {}  # trectools cannot make a frame of no rows
    fused: Run = defaultdict(list)
    for row in trectools_rrf([_frame(run) for run in runs], k=k, max_docs=_longest(runs)).run_data.itertuples():
        fused[row.query].append((row.docid, float(row.score)))
    return dict(fused)


def _longest(runs: Sequence[Run]) -> int:
    return sum(max((len(ranked) for ranked in run.values()), default=0) for run in runs)


def _frame(run: Run) -> TrecRun:
    """Hand trectools a frame of text ids; its own reader would guess types and turn "007" into 7."""
    rows = [
        (query, "Q0", passage, place, score, "run")
        for query, ranked in run.items()
        for place, (passage, score) in enumerate(ranked, 1)
    ]
    frame = TrecRun()
    frame.run_data = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame
