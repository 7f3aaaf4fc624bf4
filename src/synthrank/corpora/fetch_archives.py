"""Fetch the source distributions whose documentation is a corpus."""

from pathlib import Path
from tempfile import TemporaryDirectory

from synthrank.archives import extract, fetch_archive
from synthrank.errors import ConfigError
from synthrank.files import atomic_path
from synthrank.specs.base import load
from synthrank.specs.corpora import CorpusSpec, DocumentationCorpus


def fetch_archives(*, spec: Path, archives: Path) -> None:
    """Unpack the documentation of each archive that a corpus is read out of; no code of the archives is run.

    Args:
        spec: the corpus entity.
        archives: the folder to make; it holds a folder for each package, as its archive has it.
    """
    corpus: CorpusSpec = load(CorpusSpec, spec)
    if not isinstance(corpus, DocumentationCorpus):
        raise ConfigError(f"{spec}: source: {corpus.source!r} has no archives to fetch; expected 'faq' or 'headings'")
    with atomic_path(archives) as folder, TemporaryDirectory() as downloads:
        folder.mkdir()
        for archive in corpus.archives:
            file = fetch_archive(archive.package, archive.version, archive.sha256, Path(downloads))
            # a source distribution has one folder at its top, named after package and version
            globs = [f"*/{glob}" for glob in archive.docs + archive.faq]
            unpacked = Path(downloads) / archive.package
            extract(file, unpacked, globs)
            (top,) = unpacked.iterdir()
            top.rename(folder / archive.package)
