"""Sources of collections: one module for each kind that ``config/corpora`` knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from synthrank.errors import ConfigError
from synthrank.records import Judgment, Passage, Query
from synthrank.specs.corpora import BeirCorpus, CorpusSpec, DocumentationCorpus, FaqCorpus, MixedCorpus


class Source(Protocol):
    """Passages, queries and qrels of one collection, as its files have them."""

    def passages(self) -> Iterator[Passage]:
        """Yield every passage; a large collection is streamed."""
        ...

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the qrels of a split and at least the queries that they name."""
        ...

    def report(self) -> dict[str, Any]:
        """Return what the source left out, for the statistics."""
        ...


def open_source(spec: CorpusSpec, origin: Path, archives: Path | None = None) -> Source:
    """Return the source that an entity describes.

    Args:
        spec: the entity.
        origin: its file, named in errors.
        archives: folder of the unpacked documentation, needed by a corpus of source distributions.

    Raises:
        ConfigError: such a corpus is opened without ``archives``, or the corpus is mixed and has no source.
        DataError: a file or folder that the entity names is absent.
    """
    # one kind's libraries are not loaded for another: ir_datasets alone takes seconds
    if isinstance(spec, DocumentationCorpus):
        if archives is None:
            raise ConfigError(f"{origin}: source {spec.source} is read from unpacked archives; give --archives FOLDER")
        if isinstance(spec, FaqCorpus):
            from synthrank.sources.faq import FaqSource

            return FaqSource(spec, origin, archives)
        from synthrank.sources.headings import HeadingSource

        return HeadingSource(spec, origin, archives)
    if isinstance(spec, BeirCorpus):
        from synthrank.sources.beir import BeirSource

        return BeirSource(spec, origin)
    if isinstance(spec, MixedCorpus):
        raise ConfigError(f"{origin}: source mixed is made of another corpus by mix_passages, not read from files")
    from synthrank.sources.irds import IrdsSource

    return IrdsSource(spec, origin)
