"""Teacher scores of the passages of training groups, for distillation losses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthrank.config.base import load
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Group, Query
from synthrank.runtime.progress import progress

GROUPS_AT_ONCE = 256
"""Groups per call; pairs of a call are sorted by length together."""


def add_teacher_scores(groups: Sequence[Group], ranker: Sequence[Path], model: Sequence[Path]) -> list[Group]:
    """Return the groups with a cross-encoder's score of every passage for its query; unchanged without a ranker.

    Args:
        groups: the groups.
        ranker: the entity file of the ranker that scores; empty to leave the groups unchanged.
        model: the folder of its model.

    Raises:
        ModelError: a score is not finite.
    """
    if not ranker:
        return list(groups)
    from synthrank.config.rankers import RankerSpec
    from synthrank.rankers.cross_encoder import PairScorer  # imports torch, which other recipes do not need

    scorer = PairScorer(load(RankerSpec, ranker[0]), model[0], seed=0)
    found: list[Group] = []
    for some in split_into_batches(progress(groups, len(groups), "groups"), GROUPS_AT_ONCE):
        pairs = [
            (Query(group.query_id, group.query), item.id, item.text) for group in some for item in group.candidates
        ]
        scores = iter(scorer.scores(pairs))
        found += [
            replace(group, candidates=tuple(replace(item, teacher=next(scores)) for item in group.candidates))
            for group in some
        ]
    return found
