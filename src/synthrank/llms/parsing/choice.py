"""Read a reply as the choice of one of several lettered passages."""

import re

from synthrank.llms.parsing.status import Read, Status

_MARKS = r"[\s\[(\"'*:]*"
_BARE = re.compile(rf"^{_MARKS}+(?:passage{_MARKS}+)?([a-z])[\])\"'*.:\s]*$", re.IGNORECASE)
_NAMED = re.compile(
    rf"\b(?i:passage){_MARKS}([A-Z])\b"
    r"|[\[(]([A-Z])[\])]"
    rf"|\b(?i:is|answer|label){_MARKS}([A-Z])(?=[\])\"'*.,;:]|\s*$)"
    r"|^\s*([A-Z])\s*[.:,)\n]"
)


def read_choice(text: str, count: int) -> Read[int]:
    """Return the zero-based place of the passage, among A, B, …, that a reply names.

    A reply of only the letter is well-formed, with or without ``Passage``, brackets, quotation marks or a full stop. A
    reply with other words is repaired if all letters in it that name a passage are the same. A letter names a passage
    after ``passage``, in brackets, between ``is``, ``answer`` or ``label`` and a punctuation mark, or at the start
    before a punctuation mark. A bare ``A`` among words is an article.

    Args:
        text: the reply, for example ``Passage B``.
        count: the number of passages shown.
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
