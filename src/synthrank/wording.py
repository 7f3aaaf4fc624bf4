"""The words of a text, as what is measured and compared takes them."""

import re
import unicodedata

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters, digits and underscores after NFKC normalisation, in lower case.

    ``don't`` is two words, and a script without spaces gives one word a clause.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())
