"""Inputs of the stage corpora, and of whoever reads a corpus."""

from synthrank.needs.base import RAW, StageNeeds, Wildcards, there
from synthrank.specs.base import NONE
from synthrank.specs.corpora import TRAIN, BeirCorpus, DocumentationCorpus, MixedCorpus
from synthrank.specs.recipes import OrderRecipe, RecipeSpec, TeacherRecipe
from synthrank.variables import data_folder


class CorpusNeeds(StageNeeds):
    """What is read from and about corpora."""

    def corpus_source(self, wildcards: Wildcards) -> list[str]:
        """Return what a corpus is read from; nothing for one that ir_datasets brings."""
        corpus = self.study.entities["corpora"][wildcards.corpus]
        if isinstance(corpus, DocumentationCorpus):
            return [f"results/corpora/{wildcards.corpus}/archives"]
        if isinstance(corpus, BeirCorpus):
            folder = data_folder() / corpus.folder
            names = dict.fromkeys(split if isinstance(split, str) else split.file for split in corpus.splits.values())
            return [str(folder / name) for name in ("corpus.jsonl", "queries.jsonl", *names)]
        return []

    def corpus_source_there(self, wildcards: Wildcards) -> list[str]:
        """Return what of :meth:`corpus_source` is there, or is made by the workflow."""
        return there(self.corpus_source(wildcards))

    def mixed_originals(self, wildcards: Wildcards) -> str:
        """Return the passages of the corpus that a mixed one is made of."""
        return f"results/corpora/{self._mixed(wildcards).corpus}/passages.jsonl"

    def mixed_rewritten(self, wildcards: Wildcards) -> str:
        """Return the other wording of the passages of a mixed corpus."""
        spec = self._mixed(wildcards)
        return f"{self.draws.passage_folder(spec.corpus, spec.paradigm, NONE, 0)}/collection.jsonl"

    def mixed_queries(self, wildcards: Wildcards) -> str:
        """Return the queries of the split that one of a mixed corpus is."""
        return f"{self._mixed_split(wildcards)}/queries.jsonl"

    def mixed_qrels(self, wildcards: Wildcards) -> str:
        """Return the qrels of the split that one of a mixed corpus is."""
        return f"{self._mixed_split(wildcards)}/qrels.txt"

    def _mixed(self, wildcards: Wildcards) -> MixedCorpus:
        spec: MixedCorpus = self.study.entities["corpora"][wildcards.corpus]
        return spec

    def _mixed_split(self, wildcards: Wildcards) -> str:
        """Return the folder of the split; one that the corpus has not names no file, so that the job is refused."""
        spec = self._mixed(wildcards)
        return f"results/corpora/{spec.corpus}/{spec.splits.get(wildcards.split, NONE)}"

    def held_out_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the qrels whose answers training must not see; none where the corpus lets them train."""
        corpus, splits = self._held_out(wildcards)
        if self.study.entities["corpora"][corpus].answers_may_train:
            return []
        return [f"results/corpora/{corpus}/{split}/qrels.txt" for split in splits]

    def held_out_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries of every split of the corpus that training must not see."""
        corpus, splits = self._held_out(wildcards)
        return [f"results/corpora/{corpus}/{split}/queries.jsonl" for split in splits]

    def _held_out(self, wildcards: Wildcards) -> tuple[str, list[str]]:
        """Return the corpus of a job and its held-out splits.

        These are all but ``train`` and, for a recipe that trains on the queries of another split, that one.
        """
        corpus, trains = getattr(wildcards, "corpus", None), {TRAIN}
        if corpus is None:
            recipe = self.study.entities["recipes"][wildcards.recipe]
            corpus, trains = recipe.corpus, trains | split_of(recipe)
        splits = self.study.entities["corpora"][corpus].splits
        return corpus, [split for split in splits if split not in trains]

    def training_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the training queries of a corpus, if it has any."""
        return [f"{folder}/queries.jsonl" for folder in self._training(wildcards)]

    def training_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the training qrels of a corpus, if it has any."""
        return [f"{folder}/qrels.txt" for folder in self._training(wildcards)]

    def _training(self, wildcards: Wildcards) -> list[str]:
        has_some = TRAIN in self.study.entities["corpora"][wildcards.corpus].splits
        return [f"results/corpora/{wildcards.corpus}/{TRAIN}"] if has_some else []

    def held_out_from_queryset(self, wildcards: Wildcards) -> list[str]:
        """Return the qrels that candidates of a queryset must not answer: none where it is held out itself.

        Ranking a test split is evaluation, not training; its answers are what is to be found.
        """
        splits = self.study.entities["corpora"][wildcards.corpus].splits
        if wildcards.queryset in splits and wildcards.queryset != TRAIN:
            return []
        return self.held_out_qrels(wildcards)

    def queryset(self, wildcards: Wildcards) -> str:
        """Return the queries that a run is made for: a split's, or an augmentation's, with ``@raw`` before its filters.

        A run over written passages is made for the training queries of the corpus that they were written for.
        """
        corpus = getattr(wildcards, "corpus", None) or wildcards.collection.split("/")[1]
        name, raw = wildcards.queryset.removesuffix(RAW), wildcards.queryset.endswith(RAW)
        if name in self.study.entities["augmentations"]:
            return f"results/queries/{corpus}/{name}/{'raw' if raw else 'queries'}.jsonl"
        return f"results/corpora/{corpus}/{name}/queries.jsonl"


def split_of(recipe: RecipeSpec) -> set[str]:
    """Return the split that a recipe states to train on; an augmentation's name is no split's."""
    if isinstance(recipe, TeacherRecipe):
        return {recipe.split} if recipe.split else set()
    return {recipe.queries} if isinstance(recipe, OrderRecipe) else set()
