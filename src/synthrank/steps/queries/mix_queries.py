"""Step mix_queries: mix the queries of several augmentations in a stated ratio."""

import logging
from itertools import islice
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, MixedQueries, MixturePart
from synthrank.config.base import load
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Query
from synthrank.errors import BudgetError, DataError

log = logging.getLogger(__name__)


def mix_queries(*, spec: Path, parts: list[Path], raw: Path) -> None:
    """Take the first queries of each part, and spread each part evenly over the mixture.

    Each part keeps its seeded order. The first n queries of the mixture contain the parts in their ratio.

    Args:
        spec: the augmentation's entity file, of kind mixture.
        parts: the filtered queries of each part, in the order of the entity file.
        raw: written: the queries.

    Raises:
        BudgetError: a part has fewer queries than the mixture takes.
        DataError: two parts have the same query.
    """
    settings: MixedQueries = load(AugmentationSpec, spec)
    placed = [
        ((place + 0.5) / part.count, number, query)
        for number, (part, path) in enumerate(zip(settings.parts, parts, strict=True))
        for place, query in enumerate(_take_first(part, path, spec))
    ]
    mixed = [query for _, _, query in sorted(placed, key=lambda item: item[:2])]
    seen: set[str] = set()
    for query in mixed:
        if query.id in seen:
            raise DataError(f"{spec}: parts: query {query.id} is in two parts; use different augmentations")
        seen.add(query.id)
    log.info("%d queries of %d parts", len(mixed), len(parts))
    write_jsonl(raw, mixed)


def _take_first(part: MixturePart, path: Path, spec: Path) -> list[Query]:
    found = list(islice(read_jsonl(path, Query), part.count))
    if len(found) < part.count:
        raise BudgetError(
            f"{path}: {len(found)} queries, but {spec} takes {part.count}; raise count in "
            f"{part.augmentation}, or lower the part's count"
        )
    return found
