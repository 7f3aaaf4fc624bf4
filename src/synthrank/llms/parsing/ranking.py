"""Read a reply as a ranking of numbered passages."""

import re
from collections.abc import Sequence

from synthrank.llms.parsing.status import Read, Status

FEW = "few"
"""The note of a repaired ranking with less than half of the passages; the others keep the order shown."""

_WELL_FORMED = re.compile(r"^\s*\[\d+\](\s*>\s*\[\d+\])*\s*$")
# int() refuses numbers of thousands of digits, as an endless reply may contain; nine digits are enough.
_NUMBER = re.compile(r"\d+")
_BRACKETED = re.compile(r"\[\s?(\d+)\s?\]")
_ROW = re.compile(
    r"^[ \t>|*#(\[-]{0,20}(?:rank[ \t]?)?#?(\d{1,4})(?:[.):]|[ \t][-\u2013\u2014|][ \t])[ \t*]{0,20}", re.IGNORECASE
)
_NAMES = re.compile(r"passage|document|\bdoc\b|rank(?:ing)?|order", re.IGNORECASE)
_BETWEEN = re.compile(
    r"(?:[\s,;>|/&()\[\]{}*#\"'`.:=\u2192\u3001\uff0c\u3010\u3011-]|and|then|passages?|documents?|docs?|ids?|no)*",
    re.IGNORECASE,
)


def read_ranking(text: str, count: int) -> Read[list[int]]:
    """Return the ranking of the passages 1 to ``count``, best first, as zero-based places.

    The repair follows RankGPT (Sun et al. 2023): repeated numbers and numbers outside the window are dropped, and
    missing passages are appended in the order in which they were shown. RankGPT reads every number of a reply, as here
    in replies without words. In the others, only an order is read, the first of these that the reply has:

    1. the longest chain of numbers joined by ``>``, such as ``[2] > [1]``;
    2. numbers in brackets;
    3. the rows of a numbered list, without the numbers of the list;
    4. the longest run of at least two numbers with only separators between them.

    The numbers of a list with one row per line are never read.

    Numbers in a sentence, such as "20 passages have been provided", are not an order. Repairs are noted as ``form``,
    ``repeated``, ``outside``, ``missing`` and ``few``. A reply without a number of the window is malformed.

    Args:
        text: the reply, for example ``[2] > [1] > [3]``.
        count: the number of passages shown.
    """
    numbers = [int(number[:9]) - 1 for number in _find_order(text)]
    inside = [number for number in numbers if 0 <= number < count]
    order = list(dict.fromkeys(inside))
    if not order:
        return Read(None, Status.MALFORMED, ("no number of the window",))
    notes = [] if _WELL_FORMED.match(text) else ["form"]
    notes += ["outside"] if len(inside) < len(numbers) else []
    notes += ["repeated"] if len(order) < len(inside) else []
    found = set(order)
    missing = [number for number in range(count) if number not in found]
    notes += ["missing"] if missing else []
    notes += [FEW] if 2 * len(order) < count else []
    return Read(order + missing, Status.REPAIRED if notes else Status.WELL_FORMED, tuple(notes))


def _find_order(text: str) -> Sequence[str]:
    """Return the numbers of the order in a reply, as text."""
    rows = _find_rows(text)
    wordless = not re.search(r"[^\W\d_]", _NAMES.sub("", text))
    if wordless and not rows:
        return _NUMBER.findall(text)
    runs = _find_runs(text)
    chains = [numbers for numbers, joined in runs if joined]
    if chains:
        return max(reversed(chains), key=len)
    if bracketed := _BRACKETED.findall(text):
        return bracketed
    if rows:
        return [number for row in rows for number in _NUMBER.findall(row)[:1]]
    longest = max((numbers for numbers, _ in reversed(runs)), key=len, default=[])
    return longest if len(longest) > 1 else []


def _find_runs(text: str) -> list[tuple[list[str], bool]]:
    """Return runs of numbers with only separators between them, and whether ``>`` joins the numbers of a run.

    A run ends where the separators change from ``>`` to others or back, so that a chain has no number of the sentence
    around it.
    """
    runs: list[tuple[list[str], bool]] = []
    run: list[str] = []
    joined: bool | None = None
    end = 0
    for number in _NUMBER.finditer(text):
        between = _BETWEEN.match(text, end, number.start())
        adjacent = bool(run) and between is not None and between.end() == number.start()
        chained = adjacent and ">" in text[end : number.start()]
        if adjacent and joined in (None, chained):
            run.append(number[0])
            joined = chained
        else:
            if run:
                runs.append((run, bool(joined)))
            # The number before a chain's first ">" belongs to the chain.
            run, joined = ([run[-1], number[0]], True) if chained else ([number[0]], None)
        end = number.end()
    return [*runs, (run, bool(joined))] if run else runs


def _find_rows(text: str) -> list[str]:
    """Return the rows of a list whose numbers count up from 1, without these numbers."""
    rows = [(match, line) for line in text.splitlines() if (match := _ROW.match(line))]
    counted = [int(match[1]) for match, _ in rows] == list(range(1, len(rows) + 1))
    return [line[match.end() :] for match, line in rows] if counted and len(rows) > 1 else []
