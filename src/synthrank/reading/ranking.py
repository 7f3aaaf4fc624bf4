"""Reading a reply as an order of numbered passages."""

import re

from synthrank.reading.status import Read, Status

_WELL_FORMED = re.compile(r"^\s*\[\d+\](\s*>\s*\[\d+\])*\s*$")


def read_ranking(text: str, count: int) -> Read[list[int]]:
    """Return the order of the passages 1 to ``count``, best first, in zero-based places.

    The published repair: every number counts, repeated ones and ones outside the window are dropped, missing ones are
    appended in the order in which the passages were shown (Sun et al. 2023, RankGPT). What was repaired is noted as
    ``form``, ``repeated``, ``outside`` and ``missing``; a reply without any number of the window is malformed.

    Args:
        text: the reply, for example ``[2] > [1] > [3]``.
        count: how many passages were shown.
    """
    # A model that never stops may write a number of thousands of digits, which int() refuses: its first nine will do.
    numbers = [int(number[:9]) - 1 for number in re.findall(r"\d+", text)]
    inside = [number for number in numbers if 0 <= number < count]
    order = list(dict.fromkeys(inside))
    if not order:
        return Read(None, Status.MALFORMED, ("no number of the window",))
    notes = [] if _WELL_FORMED.match(text) else ["form"]
    notes += ["outside"] if len(inside) < len(numbers) else []
    notes += ["repeated"] if len(order) < len(inside) else []
    missing = [number for number in range(count) if number not in set(order)]
    notes += ["missing"] if missing else []
    return Read(order + missing, Status.REPAIRED if notes else Status.WELL_FORMED, tuple(notes))
