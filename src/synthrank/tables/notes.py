"""What is said around a table for reading: above it test answers that were trained on, below it chance and budgets."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from synthrank.specs.base import NONE
from synthrank.tables.pipes import paragraphs


def with_notes(text: str, answers: Sequence[Path], below: Sequence[str]) -> str:
    """Return the Markdown of a table with what its reader must know.

    Args:
        text: the Markdown, which begins with a heading and an empty line.
        answers: what step count_answers counted of the training sets that the table compares.
        below: sentences on what seeds move, where budgets are unequal, and which rankers' settings were chosen; empty
            ones are left out.
    """
    head, _, rest = text.partition("\n\n")
    above = "".join(f"{line}\n" for line in paragraphs(*_answered(answers), *_asked(answers)))
    foot = "".join(f"\n{line}" for line in paragraphs(*filter(None, below)))
    return f"{head}\n\n{above}{rest}{foot}"


def _answered(files: Iterable[Path]) -> Iterator[str]:
    """Yield a paragraph if any training set holds passages that answer test queries."""
    found: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for path in files:
        told = json.loads(path.read_text(encoding="utf-8"))
        recipe, llm = path.parts[path.parts.index("trainsets") + 1 :][:2]
        for testset, count in told["testsets"].items():
            found[testset, recipe, llm].append((count, told["passages"]))
    cases = [
        f"{_span(count for count, _ in pairs)} of {_span(total for _, total in pairs)} of recipe `{recipe}`"
        + ("" if llm == NONE else f" by {llm}")
        + f" (test set `{testset}`)"
        for (testset, recipe, llm), pairs in found.items()
        if any(count for count, _ in pairs)
    ]
    if cases:
        yield (
            "**Rankers were trained on passages that answer test queries.** So many of the distinct passages that were "
            f"trained on as relevant are relevant to a query of a test set too: {'; '.join(cases)}. These rankers know "
            "passages that they are to find there, though from other queries: their scores on these test sets do not "
            "compare with those of rankers that do not."
        )


def _asked(files: Iterable[Path]) -> Iterator[str]:
    """Yield a paragraph if any training set holds queries in the words of test queries."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for path in files:
        recipe = path.parts[path.parts.index("trainsets") + 1]
        for testset, count in json.loads(path.read_text(encoding="utf-8"))["queries"].items():
            found[testset, recipe] = max(count, found[testset, recipe])
    cases = [f"{count:,} of test set `{name}` by recipe `{recipe}`" for (name, recipe), count in found.items() if count]
    if cases:
        yield f"**Test queries are trained on in the same words**, under another id: {'; '.join(cases)}."


def _span(values: Iterable[int]) -> str:
    """Return a number, or the least and the greatest where draws of the data differ."""
    found = sorted(set(values))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"
