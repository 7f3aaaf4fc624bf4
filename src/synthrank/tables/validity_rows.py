"""The rows of the tables of training sets and of leaks, out of what was measured of each training set."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.specs.base import NONE


@dataclass(frozen=True, slots=True)
class Measured:
    """A training set, or one side of a matched control; what is not defined for it is null.

    See :mod:`synthrank.validity.measure_passages` and :mod:`synthrank.validity.controls`. ``matching`` is ``none`` for
    the training set as it is.
    """

    recipe: str
    llm: str
    draw: int
    matching: str
    matched_with: str
    queries: int
    pairs: int
    passages: int
    passages_per_query: float | None
    empty: int
    words_mean: float | None
    words_sd: float | None
    words_median: float | None
    query_overlap: float | None
    query_overlap_without_stop_words: float | None
    reading_grade: float | None
    segmental_type_token_ratio: float | None
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    self_bleu: float | None
    mean_cosine: float | None
    effective_passages: float | None
    compression_ratio: float | None
    near_duplicates: float | None
    refusals: float | None
    language: str | None
    language_share: float | None
    sample: int


@dataclass(frozen=True, slots=True)
class Leaked:
    """How many of a training set's texts of one sort leak into a test set by one test, of how many compared."""

    recipe: str
    llm: str
    draw: int
    testset: str
    kind: str
    what: str
    count: int
    compared: int


def read_measured(statistics: Path, controls: Path, reference: str) -> Iterator[Measured]:
    """Yield the row of a training set, then those of its controls.

    Args:
        statistics: what was measured of it.
        controls: what was measured of its controls.
        reference: the recipe of human passages whose lengths were matched.
    """
    recipe, llm, draw = _place(statistics)
    own = (recipe, llm, draw)
    yield _measured(own, NONE, "", json.loads(statistics.read_text(encoding="utf-8")))
    for matching, sides in json.loads(controls.read_text(encoding="utf-8")).items():
        yield _measured(own, matching, reference if "reference" in sides else "", sides["own"])
        if "reference" in sides:
            partner = recipe if llm == NONE else f"{recipe} by {llm}"
            yield _measured((reference, NONE, draw), matching, partner, sides["reference"])


def _measured(place: tuple[str, str, int], matching: str, matched_with: str, found: dict[str, Any]) -> Measured:
    words, languages = found["words"], found["languages"]
    language = next(iter(languages), None)
    values: dict[str, Any] = {
        **found,
        **dict(zip(("recipe", "llm", "draw"), place, strict=True)),
        "matching": matching,
        "matched_with": matched_with,
        "words_mean": words["mean"],
        "words_sd": words["sd"],
        "words_median": words["median"],
        "query_overlap": found["query_overlap"]["mean"],
        "language": language,
        "language_share": languages[language] / sum(languages.values()) if language else None,
    }
    return Measured(**{name: values[name] for name in Measured.__slots__})


def read_leaked(path: Path) -> Iterator[Leaked]:
    """Yield the rows of a file of counts of leaks."""
    found = json.loads(path.read_text(encoding="utf-8"))
    compared: dict[str, int] = found["compared"]
    place = _place(path)
    for testset, by_kind in found["leaks"].items():
        for kind, by_what in by_kind.items():
            for what, count in by_what.items():
                yield Leaked(*place, testset, kind, what, count, compared[what])


def _place(path: Path) -> tuple[str, str, int]:
    """Return the recipe, the LLM and the draw of results/validity/trainsets/{recipe}/{llm}/draw-{draw}/ and a file."""
    recipe, llm, draw = path.parts[-4:-1]
    return recipe, llm, int(draw.removeprefix("draw-"))
