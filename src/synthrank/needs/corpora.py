"""Inputs of the stage corpora, and of whoever reads a corpus."""

from synthrank.needs.base import RAW, StageNeeds, Wildcards, data_folder
from synthrank.specs.corpora import TRAIN, BeirCorpus, FaqCorpus


class CorpusNeeds(StageNeeds):
    """What is read from and about corpora."""

    def corpus_source(self, wildcards: Wildcards) -> list[str]:
        """Return what a corpus is read from; nothing for one that ir_datasets brings."""
        corpus = self.study.entities["corpora"][wildcards.corpus]
        if isinstance(corpus, FaqCorpus):
            return [f"results/corpora/{wildcards.corpus}/archives"]
        if isinstance(corpus, BeirCorpus):
            folder = data_folder() / corpus.folder
            names = dict.fromkeys(split if isinstance(split, str) else split.file for split in corpus.splits.values())
            return [str(folder / name) for name in ("corpus.jsonl", "queries.jsonl", *names)]
        return []

    def held_out_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the judgments of every split of the corpus that training must not see."""
        corpus = getattr(wildcards, "corpus", None) or self.study.entities["recipes"][wildcards.recipe].corpus
        splits = self.study.entities["corpora"][corpus].splits
        return [f"results/corpora/{corpus}/{split}/qrels.txt" for split in splits if split != TRAIN]

    def queryset(self, wildcards: Wildcards) -> str:
        """Return the queries that a run is made for: a split's, or an augmentation's, with ``@raw`` before its filters.

        A run over written passages is made for the training queries of the corpus that they were written for.
        """
        corpus = getattr(wildcards, "corpus", None) or wildcards.collection.split("/")[1]
        name, raw = wildcards.queryset.removesuffix(RAW), wildcards.queryset.endswith(RAW)
        if name in self.study.entities["augmentations"]:
            return f"results/queries/{corpus}/{name}/{'raw' if raw else 'queries'}.jsonl"
        return f"results/corpora/{corpus}/{name}/queries.jsonl"
