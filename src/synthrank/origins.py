"""Which corpora are the same collection under several names: a test set of either is in distribution for both."""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import normpath
from typing import TYPE_CHECKING

from synthrank.specs.corpora import BeirCorpus, DocumentationCorpus, MixedCorpus

if TYPE_CHECKING:
    from synthrank.study import Study


def origins(study: Study) -> dict[str, str]:
    """Return for every corpus the first, by name, of those that read the same data: one folder, data set or archive.

    A mixed corpus reads what its original reads. Corpora that share an archive with a third one are the same too.
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


def _data(study: Study, name: str) -> Iterable[tuple[str, str]]:
    corpus = study.entities["corpora"][name]
    if isinstance(corpus, MixedCorpus):
        yield from _data(study, corpus.corpus)
    elif isinstance(corpus, DocumentationCorpus):
        yield from (("archive", item.sha256) for item in corpus.archives)
    elif isinstance(corpus, BeirCorpus):
        yield "beir", normpath(corpus.folder)
    else:
        yield "ir_datasets", corpus.dataset
