"""A teacher's scores of the passages of training groups, for a loss that distils them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthrank.progress import progress
from synthrank.records import Group, Query
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.texts import chunks

GROUPS_AT_ONCE = 256
"""Groups whose pairs are sorted by length together."""


def taught(groups: Sequence[Group], ranker: Sequence[Path], model: Sequence[Path]) -> list[Group]:
    """Return the groups with a cross-encoder's score of every passage for its query; as they are without one.

    Args:
        groups: the groups.
        ranker: the entity file of the ranker that scores; may be empty.
        model: the folder of its model.

    Raises:
        ModelError: a score is not finite.
    """
    if not ranker:
        return list(groups)
    from synthrank.rankers.pair_model import PairScorer  # loads torch, which other recipes need not wait for

    scorer = PairScorer(load(RankerSpec, ranker[0]), model[0], seed=0)
    found: list[Group] = []
    for some in chunks(progress(groups, len(groups), "groups"), GROUPS_AT_ONCE):
        pairs = [
            (Query(group.query_id, group.query), item.id, item.text) for group in some for item in group.candidates
        ]
        scores = iter(scorer.scores(pairs))
        found += [
            replace(group, candidates=tuple(replace(item, teacher=next(scores)) for item in group.candidates))
            for group in some
        ]
    return found
