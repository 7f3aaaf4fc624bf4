"""Step fetch_archives: download the source distributions whose documentation is a corpus."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec, DocumentationCorpus
from synthrank.data.files import atomic_path
from synthrank.data.sources.archives import extract, fetch_archive
from synthrank.errors import ConfigError


def fetch_archives(*, spec: Path, archives: Path) -> None:
    """Download and unpack the documentation of each archive of a corpus; code in the archives does not run.

    Args:
        spec: the corpus entity.
        archives: the folder to create, with one folder per package.
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
            shutil.move(top, folder / archive.package)  # the temporary folder may be on another device
