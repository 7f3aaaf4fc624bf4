"""Find queries that share most of their words with a query of another set, without comparing all pairs."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import ceil

from synthrank.data.words import words_of


class Overlaps:
    """Finds texts that overlap with a fixed set of queries, by the Jaccard similarity of their distinct words.

    The search uses prefix filtering (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007). If the
    similarity of x and y is at least t, they share at least t |x| words. The |x| - ceil(t |x|) + 1 rarest words of x
    then contain one of the rarest words of y. Only rare words are looked up, and only queries with them are compared.
    """

    def __init__(self, others: Iterable[str], least: float) -> None:
        """Index the texts to compare with.

        Args:
            others: the texts.
            least: the lowest similarity, from 0 to 1, of two overlapping texts; they must also share a word.
        """
        self._least = least
        self._others = list(dict.fromkeys(frozenset(words_of(text)) for text in others))
        self._frequency = Counter(word for words in self._others for word in words)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for place, words in enumerate(self._others):
            for word in self._pick_rarest(words):
                self._by_word[word].append(place)

    def find(self, text: str) -> bool:
        """Return whether a text overlaps with an indexed text."""
        words = frozenset(words_of(text))
        places = {place for word in self._pick_rarest(words) for place in self._by_word.get(word, ())}
        return any(self._is_overlap(words, self._others[place]) for place in places)

    def _is_overlap(self, one: frozenset[str], other: frozenset[str]) -> bool:
        shared = len(one & other)
        # A quotient instead of a product: 14 / 25 is 0.56, but 0.56 * 25 is above 14 in floating point.
        return shared > 0 and shared / (len(one) + len(other) - shared) >= self._least

    def _pick_rarest(self, words: frozenset[str]) -> list[str]:
        # The subtraction keeps rounding errors from making the prefix too short.
        needed = max(1, ceil(self._least * len(words) - 1e-9))
        return sorted(words, key=lambda word: (self._frequency[word], word))[: len(words) - needed + 1]
