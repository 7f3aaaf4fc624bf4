"""Training data without what test sets hold too: leaking queries, passages and negatives give way to the next ones."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from synthrank.leaks import LeakFinder, Text, read_testsets
from synthrank.records import WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.leaks import Where
from synthrank.specs.recipes import DroppedLeaks
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.texts import chunks

CHUNK = 256
"""Queries that are tested at once, with their passages: no more than these are tested in vain."""

Written = dict[str, list[WrittenPassage]]
"""Per query its written passages, in the order in which recipes take them."""


class Unleaked:
    """Lets pass what leaks into no test set, and counts the rest by what it is and by the tests that found it.

    Keys of a count: ``leaking_WHAT`` texts, WHAT being query, passage or negative, and ``leaking_WHAT_KIND`` by each
    test; what several tests find is counted with each.
    """

    def __init__(self, finder: LeakFinder | None) -> None:
        """Begin.

        Args:
            finder: finds what leaks; None where nothing is left out, and nothing is tested or counted.
        """
        self._finder = finder
        self._kinds: dict[Text, frozenset[str]] = {}

    def written(self, written: Written, order: Sequence[str], wanted: int, count: Counter[str]) -> Written:
        """Return the first ``wanted`` queries of an order that do not leak, each with its passages that do not.

        Args:
            written: the passages of each query.
            order: all training queries; the tests end where so many are found.
            wanted: how many queries the recipe takes.
            count: what was passed over.
        """
        if self._finder is None:
            return written
        clean: Written = {}
        for names in chunks((name for name in order if name in written), CHUNK):
            asked = {name: Text(name, written[name][0].query, "query") for name in names}
            self._test([*asked.values(), *(_text(item) for name in names for item in written[name])])
            for name in names:
                if len(clean) == wanted:
                    return clean
                if self._leaks("query", asked[name], count):
                    continue
                left = [item for item in written[name] if not self._leaks("passage", _text(item), count)]
                if left:
                    clean[name] = left
        return clean

    def negatives(self, text_of: Mapping[str, str], count: Counter[str]) -> set[str]:
        """Return which negatives leak.

        Args:
            text_of: their texts, by id.
            count: what leaks.
        """
        if self._finder is None:
            return set()
        texts = [Text(name, text, "passage") for name, text in text_of.items()]
        self._test(texts)
        return {text.id for text in texts if self._leaks("negative", text, count)}

    def _test(self, texts: Iterable[Text]) -> None:
        """Find by which tests new texts leak."""
        new = [text for text in dict.fromkeys(texts) if text not in self._kinds]
        kinds: dict[int, set[str]] = {}
        for item in self._finder.find(new) if self._finder else ():
            kinds.setdefault(item.place, set()).add(item.kind)
        self._kinds |= {text: frozenset(kinds.get(place, ())) for place, text in enumerate(new)}

    def _leaks(self, what: Where, text: Text, count: Counter[str]) -> bool:
        kinds = self._kinds[text]
        count.update([f"leaking_{what}"] if kinds else [], **{f"leaking_{what}_{kind}": 1 for kind in sorted(kinds)})
        return bool(kinds)


def _text(item: WrittenPassage) -> Text:
    return Text(item.id, item.text, "passage")


def open_unleaked(
    dropped: DroppedLeaks | None,
    queries: Sequence[Path],
    qrels: Sequence[Path],
    passages: Sequence[Path],
    retriever: Sequence[Path],
    model: Sequence[Path],
) -> Unleaked:
    """Read the test sets that a recipe's training data must not hold; nothing where it drops no leaks.

    Args:
        dropped: what the recipe states.
        queries: the queries of each of its test sets.
        qrels: the qrels of each.
        passages: the passages of the corpus of each.
        retriever: the dense retriever's entity file, where a cosine is stated.
        model: the folder of its model.
    """
    if dropped is None:
        return Unleaked(None)
    encoder = None
    if dropped.cosine is not None:
        from synthrank.retrievers.dense import open_encoder  # loads torch, which other recipes need not wait for

        encoder = open_encoder(load(RetrieverSpec, retriever[0]), model[0])
    return Unleaked(LeakFinder(read_testsets(dropped.testsets, queries, qrels, passages), dropped, encoder))
