"""Which queries share most of their words with a query of another set, without comparing each with each."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import ceil

from synthrank.wording import words_of


class Overlaps:
    """Finds overlaps with a fixed set of queries: pairs of which the Jaccard similarity of distinct words is large.

    Prefix filtering (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007): if the similarity of x and y is
    at least t, they share at least t |x| words, so the |x| - ceil(t |x|) + 1 rarest words of x hold one of the rarest
    of y. Only rare words are looked up, and only the queries found by them are compared.
    """

    def __init__(self, others: Iterable[str], least: float) -> None:
        """Index the texts that overlaps are looked for with.

        Args:
            others: the texts.
            least: the similarity, from 0 to 1, at which two texts overlap; they always share one word.
        """
        self._least = least
        self._others = list(dict.fromkeys(frozenset(words_of(text)) for text in others))
        self._frequency = Counter(word for words in self._others for word in words)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for place, words in enumerate(self._others):
            for word in self._rarest(words):
                self._by_word[word].append(place)

    def found(self, text: str) -> bool:
        """Tell whether a text overlaps with any of the others."""
        words = frozenset(words_of(text))
        places = {place for word in self._rarest(words) for place in self._by_word.get(word, ())}
        return any(self._overlap(words, self._others[place]) for place in places)

    def _overlap(self, one: frozenset[str], other: frozenset[str]) -> bool:
        shared = len(one & other)
        # A quotient, not a product: 14 / 25 is 0.56, but 0.56 * 25 is above 14.
        return shared > 0 and shared / (len(one) + len(other) - shared) >= self._least

    def _rarest(self, words: frozenset[str]) -> list[str]:
        # Nor may the error of such a product make the prefix too short.
        needed = max(1, ceil(self._least * len(words) - 1e-9))
        return sorted(words, key=lambda word: (self._frequency[word], word))[: len(words) - needed + 1]
