"""Sources of corpora: one module per kind of file in ``config/corpora``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from synthrank.config.corpora import BeirCorpus, CorpusSpec, DocumentationCorpus, FaqCorpus, MixedCorpus
from synthrank.data.records import Judgment, Passage, Query
from synthrank.errors import ConfigError


class Source(Protocol):
    """Unchanged passages, queries and qrels of a corpus."""

    def passages(self) -> Iterator[Passage]:
        """Yield every passage. Large corpora are streamed."""
        ...

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the qrels of a split, and at least the queries of these qrels."""
        ...

    def report(self) -> dict[str, Any]:
        """Return counts of omitted items, for the statistics of the corpus."""
        ...


def open_source(spec: CorpusSpec, origin: Path, archives: Path | None = None) -> Source:
    """Return the source of a corpus.

    Args:
        spec: the configuration of the corpus.
        origin: the file of ``spec``, for errors.
        archives: the folder of unpacked archives, required for documentation.

    Raises:
        ConfigError: ``archives`` is missing for documentation, or the corpus is mixed and has no source.
        DataError: a file or folder of the corpus is missing.
    """
    # Import only the libraries of this kind: the import of ir_datasets takes seconds.
    if isinstance(spec, DocumentationCorpus):
        if archives is None:
            raise ConfigError(f"{origin}: source {spec.source} needs unpacked archives; add --archives FOLDER")
        if isinstance(spec, FaqCorpus):
            from synthrank.data.sources.faq import FaqSource

            return FaqSource(spec, origin, archives)
        from synthrank.data.sources.headings import HeadingSource

        return HeadingSource(spec, origin, archives)
    if isinstance(spec, BeirCorpus):
        from synthrank.data.sources.beir import BeirSource

        return BeirSource(spec, origin)
    if isinstance(spec, MixedCorpus):
        raise ConfigError(
            f"{origin}: source mixed has no files; the rule mix_passages makes this corpus from another corpus"
        )
    from synthrank.data.sources.irds import IrdsSource

    return IrdsSource(spec, origin)
