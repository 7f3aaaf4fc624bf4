"""Corpora of the ir_datasets catalogue. ir_datasets downloads freely available files into its home folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthrank.config.corpora import IrdsCorpus
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.trec import grade_of
from synthrank.errors import ConfigError, FetchError, list_known


class IrdsSource:
    """Documents, queries and qrels by their ir_datasets ids. Documents are streamed."""

    def __init__(self, spec: IrdsCorpus, origin: Path) -> None:
        self._spec = spec
        self._origin = origin

    def passages(self) -> Iterator[Passage]:
        """Yield the documents, with a title if their type has the fields ``title`` and ``text``.

        Raises:
            ConfigError: the catalogue has no such id, or the id has no documents.
            FetchError: the download failed.
        """
        for doc in self._rows(self._spec.dataset, "dataset", "docs"):
            title, text = getattr(doc, "title", None), getattr(doc, "text", None)
            if title is None or text is None:
                title, text = "", doc.default_text()
            yield Passage(doc.doc_id, text, title)

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return all queries and qrels of the ir_datasets id of a split.

        Raises:
            ConfigError: the corpus has no such split, the catalogue has no such id, or the id lacks queries or qrels.
            FetchError: the download failed.
            DataError: a grade is out of range.
        """
        if split not in self._spec.splits:
            raise ConfigError(f"{self._origin}: splits: no split {split!r}; {list_known(self._spec.splits)}")
        name, key = self._spec.splits[split], f"splits.{split}"
        queries = [Query(row.query_id, row.default_text()) for row in self._rows(name, key, "queries")]
        rows = self._rows(name, key, "qrels")
        where = f"{self._origin}: {key}: {name}: relevance"
        return queries, [Judgment(row.query_id, row.doc_id, grade_of(str(row.relevance), where)) for row in rows]

    def report(self) -> dict[str, Any]:
        """Return an empty report, because nothing is omitted."""
        return {}

    def _rows(self, name: str, key: str, kind: str) -> Iterator[Any]:
        """Yield the documents, queries or judgments of an id of the catalogue."""
        import ir_datasets

        try:
            dataset = ir_datasets.load(name)
        except KeyError:
            raise ConfigError(f"{self._origin}: {key}: {name!r} is not an id of the ir_datasets catalogue") from None
        if not getattr(dataset, f"has_{kind}")():
            raise ConfigError(f"{self._origin}: {key}: the ir_datasets id {name!r} has no {kind}")
        try:
            yield from getattr(dataset, f"{kind}_iter")()
        except (OSError, RuntimeError) as error:
            # ir_datasets raises RuntimeError after its last attempt to download.
            first = " ".join(str(error).split())[:200] or type(error).__name__
            raise FetchError(
                f"{name}: ir_datasets could not get the {kind} ({first}); check the network, and run "
                f"`ir_datasets doc {name}` for instructions to get them by hand"
            ) from error
