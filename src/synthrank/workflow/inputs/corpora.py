"""Inputs of the stage corpora, and of rules that read a corpus."""

from synthrank.config.base import NONE
from synthrank.config.corpora import TRAIN, BeirCorpus, DocumentationCorpus, MixedCorpus
from synthrank.config.recipes import OrderRecipe, RecipeSpec
from synthrank.data.paths import CORPUS, PASSAGES, QUERIES, SPLIT
from synthrank.runtime.environment import data_folder
from synthrank.workflow.inputs.base import RAW, Row, StageInputs, Wildcards, keep_existing


class CorpusInputs(StageInputs):
    """Inputs that are read from corpora."""

    def source(self, wildcards: Wildcards) -> list[str]:
        """Return the sources of a corpus, or nothing for a corpus from ir_datasets."""
        corpus = self.study.entities["corpora"][wildcards.corpus]
        if isinstance(corpus, DocumentationCorpus):
            return [f"results/{CORPUS(corpus=wildcards.corpus)}/archives"]
        if isinstance(corpus, BeirCorpus):
            folder = data_folder() / corpus.folder
            names = dict.fromkeys(split if isinstance(split, str) else split.file for split in corpus.splits.values())
            return [str(folder / name) for name in ("corpus.jsonl", "queries.jsonl", *names)]
        return []

    def source_there(self, wildcards: Wildcards) -> list[str]:
        """Return the files of :meth:`source` that exist or that the workflow makes."""
        return keep_existing(self.source(wildcards))

    def original(self, wildcards: Wildcards) -> list[Row]:
        """Return the original of a mixed corpus's split, or ``none`` if it has no such split, so that the job fails."""
        corpus: MixedCorpus = self.study.entities["corpora"][wildcards.corpus]
        return [{"original": corpus.splits.get(wildcards.split, NONE)}]

    def held_out(self, wildcards: Wildcards) -> list[Row]:
        """Return the splits whose relevant passages must not be used for training, unless the corpus allows it."""
        if self.study.entities["corpora"][wildcards.corpus].answers_may_train:
            return []
        return self._held_out(wildcards.corpus, wildcards.split)

    def held_out_of_recipe(self, wildcards: Wildcards) -> list[Row]:
        """Return the held-out splits of a recipe's corpus."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return self._held_out(recipe.corpus, self._trained_split(recipe))

    def trained_split(self, wildcards: Wildcards) -> list[Row]:
        """Return the split on which a recipe trains."""
        return [{"split": self._trained_split(self.study.entities["recipes"][wildcards.recipe])}]

    def _held_out(self, corpus: str, trained: str) -> list[Row]:
        """Return each split that is held out from training on ``trained``: all other splits except ``train``."""
        splits = self.study.entities["corpora"][corpus].splits
        return [{"held_out": split} for split in splits if split not in (TRAIN, trained)]

    def _trained_split(self, recipe: RecipeSpec) -> str:
        """Return the split whose queries a recipe trains on, by default and for augmentations ``train``."""
        stated: str = recipe.queries if isinstance(recipe, OrderRecipe) else getattr(recipe, "split", None) or TRAIN
        return stated if stated in self.study.entities["corpora"][recipe.corpus].splits else TRAIN

    def training_split(self, wildcards: Wildcards) -> list[Row]:
        """Return the training split of a corpus, if it has one."""
        return [{"split": TRAIN}] if TRAIN in self.study.entities["corpora"][wildcards.corpus].splits else []

    def pool_excluded(self, wildcards: Wildcards) -> list[Row]:
        """Return the split that trains on candidates, or no row if the query set is held out.

        Ranking a test split is evaluation, in which its relevant passages must be candidates.
        """
        splits = self.study.entities["corpora"][wildcards.corpus].splits
        return [] if wildcards.queryset in splits and wildcards.queryset != TRAIN else [{"split": TRAIN}]

    def kind_of_queryset(self, wildcards: Wildcards) -> list[Row]:
        """Return a query set as a split or as an augmentation, before or after its filters."""
        if wildcards.queryset in self.study.entities["corpora"][wildcards.corpus].splits:
            return [{"split": wildcards.queryset}]
        name = wildcards.queryset.removesuffix(RAW)
        return [{"augmentation": name}] if name in self.study.entities["augmentations"] else []

    def queryset(self, wildcards: Wildcards) -> str:
        """Return the queries of a run: of a split, or of an augmentation (with ``@raw``, before its filters).

        A run over generated passages uses the training queries of their corpus.
        """
        corpus = getattr(wildcards, "corpus", None)
        if corpus is None:
            form = CORPUS if CORPUS.fits(wildcards.collection) else PASSAGES
            corpus = form.names(wildcards.collection)["corpus"]
        name, raw = wildcards.queryset.removesuffix(RAW), wildcards.queryset.endswith(RAW)
        if name in self.study.entities["augmentations"]:
            return f"results/{QUERIES(corpus=corpus, augmentation=name)}/{'raw' if raw else 'queries'}.jsonl"
        return f"results/{SPLIT(corpus=corpus, split=name)}/queries.jsonl"
