"""The definitions of an id and of a word, for files, measures and comparisons of texts."""

import math
import re
import unicodedata
from collections.abc import Collection
from itertools import islice

_WORD = re.compile(r"\w+")
_ID = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def is_id(text: str) -> bool:
    """Return whether a text can be an id: not empty, without white space and control characters.

    The columns of TREC files are separated by white space, and trec_eval ends an id at a NUL.
    """
    return _ID.fullmatch(text) is not None


def is_visible(text: str) -> bool:
    """Return whether a text has a character other than white space, control and format characters.

    Lucene does not index a passage that has only control characters.
    """
    return any(unicodedata.category(character) not in _INVISIBLE for character in text)


_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}

# Scripts without spaces between words. A word has about 1.5 characters in Chinese and Japanese, and 4 in the others:
# Thai, Lao, Tibetan, Burmese, Khmer.
_SHORT_WORDS = re.compile(
    r"[\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]"
)
_LONG_WORDS = re.compile(r"[\u0e01-\u0e4e\u0e81-\u0ecd\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3]")
_SHORT, _LONG = 1.5, 4.0


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters, digits and underscores after NFKC normalisation, in lower case.

    ``don't`` has two words. In scripts without spaces, each clause is one word.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def count_words(text: str) -> int:
    """Return the length of a text in words, also for scripts without spaces, whose words are estimated.

    In other scripts a word is a run of characters without white space.
    """
    if text.isascii():
        return len(text.split())
    rest, short = _SHORT_WORDS.subn(" ", text)
    rest, long = _LONG_WORDS.subn(" ", rest)
    if not short + long:
        return len(text.split())
    spaced = sum(any(map(str.isalnum, part)) for part in rest.split())
    return spaced + math.ceil(short / _SHORT + long / _LONG)


def first_words(text: str, count: int) -> str:
    """Return the NFKC-normalised text up to the word number ``count``, or all of it if it is shorter."""
    normal = unicodedata.normalize("NFKC", text)
    found = list(islice(_WORD.finditer(normal), count + 1))
    return normal if len(found) <= count else normal[: found[count - 1].end()] if count else ""


def cut_out_words(text: str, words: Collection[str]) -> str:
    """Return the NFKC-normalised text without some words (given in lower case), with runs of spaces as one space."""
    normal = unicodedata.normalize("NFKC", text)
    return " ".join(_WORD.sub(lambda match: "" if match[0].lower() in words else match[0], normal).split())
