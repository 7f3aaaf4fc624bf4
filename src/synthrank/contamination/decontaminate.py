"""Remove overlap with test sets from training sets; the next queries, passages and negatives replace it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.leaks import Where
from synthrank.config.recipes import DroppedLeaks
from synthrank.contamination.finder import OverlapFinder, OverlapText, read_testsets
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import WrittenPassage

CHUNK = 256
"""Queries that are tested together with their passages. At most this many are tested without being used."""

WrittenByQuery = dict[str, list[WrittenPassage]]
"""Generated passages by query, in the order in which recipes take them."""


class OverlapFilter:
    """Select texts without overlap with test sets, and count the removed texts.

    The count has the keys ``leaking_WHAT``, where WHAT is query, passage or negative, and ``leaking_WHAT_KIND`` per
    test. A text that several tests find is counted for each test.
    """

    def __init__(self, finder: OverlapFinder | None) -> None:
        """Initialise with a finder.

        Args:
            finder: finds overlap; without a finder no text is tested, removed or counted.
        """
        self._finder = finder
        self._kinds: dict[OverlapText, frozenset[str]] = {}

    def written(
        self, written: WrittenByQuery, order: Sequence[str], wanted: int, count: Counter[str]
    ) -> WrittenByQuery:
        """Return the first ``wanted`` queries without overlap, with their passages without overlap.

        Args:
            written: the generated passages by query.
            order: all training queries in order; queries after the ``wanted`` ones are not tested.
            wanted: number of queries that the recipe takes.
            count: updated with the removed texts.
        """
        if self._finder is None:
            return written
        clean: WrittenByQuery = {}
        for names in split_into_batches((name for name in order if name in written), CHUNK):
            queries = {name: OverlapText(name, written[name][0].query, "query") for name in names}
            self._test([*queries.values(), *(_make_text(item) for name in names for item in written[name])])
            for name in names:
                if len(clean) == wanted:
                    return clean
                if self._overlaps("query", queries[name], count):
                    continue
                left = [item for item in written[name] if not self._overlaps("passage", _make_text(item), count)]
                if left:
                    clean[name] = left
        return clean

    def negatives(self, text_of: Mapping[str, str], count: Counter[str]) -> set[str]:
        """Return the ids of negatives with overlap.

        Args:
            text_of: the texts of the negatives by id.
            count: updated with the negatives with overlap.
        """
        if self._finder is None:
            return set()
        texts = [OverlapText(name, text, "passage") for name, text in text_of.items()]
        self._test(texts)
        return {text.id for text in texts if self._overlaps("negative", text, count)}

    def _test(self, texts: Iterable[OverlapText]) -> None:
        """Test texts that were not tested before."""
        new = [text for text in dict.fromkeys(texts) if text not in self._kinds]
        kinds: dict[int, set[str]] = {}
        for item in self._finder.find(new) if self._finder else ():
            kinds.setdefault(item.place, set()).add(item.kind)
        self._kinds |= {text: frozenset(kinds.get(place, ())) for place, text in enumerate(new)}

    def _overlaps(self, what: Where, text: OverlapText, count: Counter[str]) -> bool:
        kinds = self._kinds[text]
        count.update([f"leaking_{what}"] if kinds else [], **{f"leaking_{what}_{kind}": 1 for kind in sorted(kinds)})
        return bool(kinds)


def _make_text(item: WrittenPassage) -> OverlapText:
    return OverlapText(item.id, item.text, "passage")


def open_overlap_filter(
    dropped: DroppedLeaks | None,
    queries: Sequence[Path],
    qrels: Sequence[Path],
    passages: Sequence[Path],
    retriever: Sequence[Path],
    model: Sequence[Path],
) -> OverlapFilter:
    """Read the test sets whose overlap a recipe removes.

    Args:
        dropped: the recipe's ``drop_leaks``; if it is ``None``, no text is removed.
        queries: the queries of each test set.
        qrels: the qrels of each test set.
        passages: the corpus's passages of each test set.
        retriever: the file of the dense retriever, if a cosine is stated.
        model: the folder of the retriever's model, if a cosine is stated.
    """
    if dropped is None:
        return OverlapFilter(None)
    encoder = None
    if dropped.cosine is not None:
        from synthrank.config.retrievers import RetrieverSpec
        from synthrank.retrievers.dense import open_encoder  # imports torch, which takes seconds

        encoder = open_encoder(load(RetrieverSpec, retriever[0]), model[0])
    return OverlapFilter(OverlapFinder(read_testsets(dropped.testsets, queries, qrels, passages), dropped, encoder))
