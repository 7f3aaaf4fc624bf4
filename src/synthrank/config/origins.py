"""Find corpora with the same data. A test set of one of them is in distribution for all.

The contents of files are compared, not the names of folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import normpath
from typing import TYPE_CHECKING

from synthrank.config.corpora import BeirCorpus, DocumentationCorpus, MixedCorpus
from synthrank.runtime.content_hash import ContentHashes
from synthrank.runtime.environment import data_folder

if TYPE_CHECKING:
    from synthrank.config.study import Study


_HASHES = ContentHashes()
"""Hashes of this process: every check of an experiment asks for the same files."""


def origins(study: Study) -> dict[str, str]:
    """Return per corpus the alphabetically first corpus with the same data.

    These are files with equal contents, an ir_datasets id, or an archive.
    A mixed corpus has the data of its original. The relation is transitive: corpora that share archives with a third
    corpus are the same.
    """
    found: dict[str, str] = {}
    first: dict[tuple[str, str], str] = {}
    for name in sorted(study.entities["corpora"]):
        keys = set(_data(study, name))
        same = {first[key] for key in keys & first.keys()}
        origin = min(same, default=name)
        found[name] = origin
        found |= {other: origin for other, of in found.items() if of in same}
        first |= dict.fromkeys(keys, origin) | {key: origin for key, of in first.items() if of in same}
    return found


def content(folder: str, name: str) -> str:
    """Return the SHA-256 of a user's file, or its path if it does not exist yet."""
    path = data_folder() / folder / name
    return _HASHES.of(path) if path.is_file() else normpath(f"{folder}/{name}")


def _data(study: Study, name: str) -> Iterable[tuple[str, str]]:
    corpus = study.entities["corpora"][name]
    if isinstance(corpus, MixedCorpus):
        yield from _data(study, corpus.corpus)
    elif isinstance(corpus, DocumentationCorpus):
        yield from (("archive", item.sha256) for item in corpus.archives)
    elif isinstance(corpus, BeirCorpus):
        yield from (("beir", content(corpus.folder, name)) for name in ("corpus.jsonl", "queries.jsonl"))
    else:
        yield "ir_datasets", corpus.dataset
