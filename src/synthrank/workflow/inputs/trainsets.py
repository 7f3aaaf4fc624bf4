"""Inputs of the stage trainsets."""

from typing import NamedTuple

from synthrank.config.base import NONE
from synthrank.config.corpora import TRAIN
from synthrank.config.filters import FilterSpec, LlmFilter, RankerFilter, RoundTripFilter
from synthrank.config.paradigms import HumanParadigm, QueriedParadigm, queryset_of, rewords
from synthrank.config.recipes import PairsRecipe, Sized, base_and_size
from synthrank.data.paths import BY_RANKER, BY_RETRIEVER, CORPUS, JUDGED, PASSAGES, RUN, SCORED
from synthrank.runtime.environment import data_folder
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards, keep_existing


class TrainsetDraws(NamedTuple):
    """The draws of the parts of a training set.

    A single param, because Snakemake compares the values of params as a set and only if they have builtin types.
    """

    queries: int
    negatives: int


class TrainsetInputs(StageInputs):
    """Inputs of training sets."""

    def size(self, wildcards: Wildcards) -> int:
        """Return the number of queries in a recipe's name, or 0 to use the number in its file."""
        return base_and_size(wildcards.recipe)[1]

    def teacher_files(self, wildcards: Wildcards) -> list[str]:
        """Return the recorded rankings of a teacher recipe."""
        return [str(data_folder() / name) for name in self.study.entities["recipes"][wildcards.recipe].files]

    def teacher_source(self, wildcards: Wildcards) -> list[str]:
        """Return the recorded rankings that exist."""
        return keep_existing(self.teacher_files(wildcards))

    def of_parts(self, wildcards: Wildcards) -> TrainsetDraws:
        """Return the draw of a training set's queries and positives, and the draw of its negatives."""
        return TrainsetDraws(
            queries=self.draws.of_part("queries", wildcards.draw),
            negatives=self.draws.of_part("negatives", wildcards.draw),
        )

    def recipe(self, wildcards: Wildcards) -> list[Row]:
        """Return the recipe with a file: for a name with ``@N``, its base."""
        return [{"recipe": name} for name in self.bases_of([wildcards.recipe])]

    def positives(self, wildcards: Wildcards) -> list[Row]:
        """Return the passages of a recipe in the order of its positives, and their queries."""
        recipe: Sized = self.study.entities["recipes"][wildcards.recipe]
        return [
            {
                "paradigm": name,
                "draw": self.draws.of_passages(name, wildcards.draw),
                "llm": wildcards.llm if self.study.writes(name) else NONE,
                "split" if queryset == TRAIN else "augmentation": queryset,
            }
            for name in recipe.paradigms
            for queryset in [queryset_of(self.study.entities["paradigms"][name])]
        ]

    def filters(self, wildcards: Wildcards) -> list[str]:
        """Return the inputs of the filters of a recipe's positives in order: scores, or the run of a round trip."""
        recipe: Sized = self.study.entities["recipes"][wildcards.recipe]
        if not isinstance(recipe, PairsRecipe):
            return []
        return [
            self._evidence(recipe, item.filter, row)
            for item, row in zip(recipe.positives, self.positives(wildcards), strict=True)
            if item.filter
        ]

    def _evidence(self, recipe: PairsRecipe, spec: FilterSpec, row: Row) -> str:
        passages = PASSAGES(corpus=recipe.corpus, **row)
        if isinstance(spec, RoundTripFilter):
            written = self.study.entities["paradigms"][str(row["paradigm"])]
            own = isinstance(written, HumanParadigm | QueriedParadigm)
            collection = CORPUS(corpus=recipe.corpus) if own else passages
            return f"results/{RUN(collection=collection, retriever=spec.retriever, queryset=queryset_of(written))}"
        if isinstance(spec, LlmFilter):
            names = {**row, "corpus": recipe.corpus, "writer": row["llm"], "ranking": spec.ranking, "llm": spec.llm}
            return f"results/{JUDGED(**names)}"
        if isinstance(spec, RankerFilter):
            judge = BY_RANKER(ranker=spec.ranker)
        else:
            judge = BY_RETRIEVER(retriever=spec.retriever)
        return f"results/{SCORED(collection=passages, judge=judge)}"

    def negative_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the run that provides negatives for each of the recipe's positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        querysets = [queryset_of(self.study.entities["paradigms"][name]) for name in recipe.paradigms]
        collections = [collection for collection, _ in self._negatives(recipe, wildcards)]
        return [
            f"results/{RUN(collection=collection, retriever=recipe.negatives.retriever, queryset=queryset)}"
            for collection, queryset in zip(collections, querysets, strict=bool(collections))
        ]

    def negative_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages that the negative runs name, for each of the recipe's positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [f"results/{passages}" for _, passages in self._negatives(recipe, wildcards)]

    def reworded(self, wildcards: Wildcards) -> list[str]:
        """Return the paradigms whose negatives are reworded versions of the passages in a run over the corpus."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        same = recipe.negatives and recipe.negatives.source == "same"
        return [name for name in dict.fromkeys(recipe.paradigms) if same and self._rewords(name)]

    def gpus(self, wildcards: Wildcards) -> int:
        """Return the number of GPUs of a recipe, which is 1 if models score or compare passages, and otherwise 0."""
        recipe: Sized = self.study.entities["recipes"][wildcards.recipe]
        compares = recipe.drop_leaks is not None and recipe.drop_leaks.cosine is not None
        guarded = recipe.negatives is not None and recipe.negatives.guard.scored_by is not None
        return int(compares or guarded or getattr(recipe, "teacher", None) is not None)

    def _negatives(self, recipe: Sized, wildcards: Wildcards) -> list[tuple[str, str]]:
        """Return the collection of the runs for negatives, and its passages, for each paradigm of a recipe."""
        if recipe.negatives is None:
            return []
        return [self._negatives_of(recipe, row) for row in self.positives(wildcards)]

    def _negatives_of(self, recipe: Sized, row: Row) -> tuple[str, str]:
        paradigm = str(row["paradigm"])
        corpus, written = CORPUS(corpus=recipe.corpus), PASSAGES(corpus=recipe.corpus, **row)
        own = isinstance(self.study.entities["paradigms"][paradigm], HumanParadigm | QueriedParadigm)
        if recipe.negatives is None or recipe.negatives.source == "human" or own:
            return corpus, f"{corpus}/passages.jsonl"
        if self._rewords(paradigm):
            return corpus, f"{written}/collection.jsonl"
        return written, f"{written}/passages.jsonl"

    def _rewords(self, paradigm: str) -> bool:
        """Return whether the passages of a paradigm are reworded passages of the corpus."""
        return rewords(self.study.entities["paradigms"][paradigm])
