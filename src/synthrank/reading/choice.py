"""Reading a reply as the choice of one of a few lettered passages."""

import re

from synthrank.reading.status import Read, Status

_MARKS = r"[\s\[(\"'*:]*"
_BARE = re.compile(rf"^{_MARKS}(?:passage)?{_MARKS}([a-z])[\])\"'*.:\s]*$", re.IGNORECASE)
_NAMED = re.compile(
    rf"\b(?i:passage){_MARKS}([A-Z])\b"
    r"|[\[(]([A-Z])[\])]"
    rf"|\b(?i:is|answer|label){_MARKS}([A-Z])(?=[\])\"'*.,;:]|\s*$)"
    r"|^\s*([A-Z])\s*[.:,)\n]"
)


def read_choice(text: str, count: int) -> Read[int]:
    """Return which of the passages A, B, … a reply names, as a zero-based place.

    A reply that is the letter alone, with or without ``Passage``, brackets, quotation marks or a full stop, is
    well-formed. Words around it are repaired only if they leave no doubt: all letters that stand after ``passage``, in
    brackets, after ``is``, ``answer`` or ``label`` before a mark, or at the beginning before one, are the same. A bare
    ``A`` among words is an article, not a choice.

    Args:
        text: the reply, for example ``Passage B``.
        count: how many passages were shown.
    """
    bare = _BARE.match(text.strip())
    found = [bare.groups()] if bare else _NAMED.findall(text)
    places = {ord(letter.upper()) - ord("A") for letters in found for letter in letters if letter}
    if not places:
        return Read(None, Status.MALFORMED, ("no letter",))
    if len(places) > 1:
        return Read(None, Status.MALFORMED, ("several letters",))
    (place,) = places
    if place >= count:
        return Read(None, Status.MALFORMED, ("outside",))
    return Read(place, Status.WELL_FORMED) if bare else Read(place, Status.REPAIRED, ("form",))
