"""Reference implementations: runs ranked, read, written and fused one score at a time."""

from collections import defaultdict

import numpy as np
import pandas as pd
from trectools import TrecRun
from trectools.fusion import reciprocal_rank_fusion

from synthrank.errors import DataError


def rank(scored, depth=None):
    pairs = sorted(((name, np.float32(score)) for name, score in scored), key=lambda pair: (-pair[1], pair[0]))[:depth]
    strict, last = [], np.float32(np.inf)
    for name, score in pairs:
        if not np.isfinite(score):
            raise DataError(f"passage {name}: the score is {score}; expected a finite number")
        last = score if score < last else np.nextafter(last, np.float32(-np.inf))
        strict.append((name, float(last)))
    return strict


def read_run(path):
    scores = defaultdict(dict)
    with path.open(encoding="utf-8", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            columns = line.split()
            if len(columns) != 6:
                raise DataError(
                    f"{path}:{number}: {len(columns)} columns; a run line has six: qid Q0 docno rank score tag"
                )
            query, _, name, _, score, _ = columns
            if name in scores[query]:
                raise DataError(f"{path}:{number}: passage {name} is listed twice for query {query}")
            try:
                scores[query][name] = float(score)
            except ValueError as error:
                raise DataError(f"{path}:{number}: score {score!r} is not a number") from error
            if not np.isfinite(scores[query][name]):
                raise DataError(f"{path}:{number}: score {score!r} is not a finite number of 32 bits")
    return {query: rank(scored.items()) for query, scored in scores.items()}


def write_run(path, run, tag, depth=None):
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for query, scored in run.items():
            for place, (name, score) in enumerate(rank(scored, depth), 1):
                stream.write(f"{query} Q0 {name} {place} {score:.9g} {tag}\n")


def fuse(runs, k):
    """Return the fusion of runs by trectools from its own data frames."""
    longest = sum(max((len(ranked) for ranked in run.values()), default=0) for run in runs)
    fused = defaultdict(list)
    for row in reciprocal_rank_fusion([_frame(run) for run in runs], k=k, max_docs=longest).run_data.itertuples():
        fused[row.query].append((row.docid, float(row.score)))
    return dict(fused)


def _frame(run):
    frame = TrecRun()
    frame.run_data = pd.DataFrame(
        [
            (query, "Q0", name, place, score, "run")
            for query, ranked in run.items()
            for place, (name, score) in enumerate(ranked, 1)
        ],
        columns=["query", "q0", "docid", "rank", "score", "system"],
    )
    return frame
