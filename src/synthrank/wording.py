"""The words of a text, as what is measured and compared takes them."""

import re
import unicodedata
from collections.abc import Collection
from itertools import islice

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters, digits and underscores after NFKC normalisation, in lower case.

    ``don't`` is two words, and a script without spaces gives one word a clause.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def first_words(text: str, count: int) -> str:
    """Return a text up to its word number ``count``, NFKC-normalised; whole if it has no more words."""
    normal = unicodedata.normalize("NFKC", text)
    found = list(islice(_WORD.finditer(normal), count + 1))
    return normal if len(found) <= count else normal[: found[count - 1].end()] if count else ""


def without_words(text: str, words: Collection[str]) -> str:
    """Return a text, NFKC-normalised, without the words of a collection (in lower case); runs of spaces become one."""
    normal = unicodedata.normalize("NFKC", text)
    return " ".join(_WORD.sub(lambda match: "" if match[0].lower() in words else match[0], normal).split())
