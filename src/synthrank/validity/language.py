"""In which languages passages are."""

from collections import Counter
from collections.abc import Iterable

from py3langid import classify


def languages(texts: Iterable[str]) -> dict[str, int]:
    """Return how many texts are in each language, the commonest first, as py3langid tells (ISO 639-1 codes).

    py3langid carries its model (2 MB) and needs numpy alone; a text of a few words is often taken for another language.
    """
    counts = Counter(classify(text)[0] for text in texts)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
