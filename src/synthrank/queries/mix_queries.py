"""Step mix_queries: the queries of several augmentations in a stated ratio."""

import logging
from itertools import islice
from pathlib import Path

from synthrank.errors import BudgetError, DataError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.records import Query
from synthrank.specs.augmentations import AugmentationSpec, MixedQueries, Part
from synthrank.specs.base import load

log = logging.getLogger(__name__)


def mix_queries(*, spec: Path, parts: list[Path], raw: Path) -> None:
    """Take the first queries of each part, and spread the parts evenly over the whole.

    Each part keeps its own, seeded order, and the first n queries of the mixture hold the parts in their ratio.

    Args:
        spec: the augmentation's entity file, of kind mixture.
        parts: the filtered queries of each part, in the order of the entity file.
        raw: written: the queries.

    Raises:
        BudgetError: a part has fewer queries than the mixture takes.
        DataError: two parts hold the same query.
    """
    settings: MixedQueries = load(AugmentationSpec, spec)
    placed = [
        ((place + 0.5) / part.count, number, query)
        for number, (part, path) in enumerate(zip(settings.parts, parts, strict=True))
        for place, query in enumerate(_first(part, path, spec))
    ]
    mixed = [query for _, _, query in sorted(placed, key=lambda item: item[:2])]
    seen: set[str] = set()
    for query in mixed:
        if query.id in seen:
            raise DataError(f"{spec}: parts: two of them hold the query {query.id}; parts must be made apart")
        seen.add(query.id)
    log.info("%d queries of %d parts", len(mixed), len(parts))
    write_jsonl(raw, mixed)


def _first(part: Part, path: Path, spec: Path) -> list[Query]:
    found = list(islice(read_jsonl(path, Query), part.count))
    if len(found) < part.count:
        raise BudgetError(
            f"{path}: holds {len(found)} queries, but {spec} takes {part.count}; raise the count of "
            f"{part.augmentation}, or lower the part's"
        )
    return found
