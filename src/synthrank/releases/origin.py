"""Where a test collection comes from, in the words of ir_metadata."""

from synthrank.specs.corpora import BeirCorpus, CorpusSpec, DocumentationCorpus, IrdsCorpus


def origin_of(corpus: CorpusSpec, split: str) -> dict[str, str]:
    """Return ``source`` of a corpus, and its id in ir_datasets where it has one.

    Args:
        corpus: the entity.
        split: the split whose queries are tested on.
    """
    if isinstance(corpus, IrdsCorpus):
        return {"source": f"ir_datasets {corpus.dataset}", "ir_datasets": corpus.splits[split]}
    if isinstance(corpus, BeirCorpus):
        return {"source": f"folder {corpus.folder} in the layout of BEIR"}
    if isinstance(corpus, DocumentationCorpus):
        return {"source": "documentation of " + ", ".join(f"{item.package} {item.version}" for item in corpus.archives)}
    return {"source": f"{corpus.corpus}, each passage beside its wording by {corpus.paradigm}"}
