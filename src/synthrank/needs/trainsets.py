"""Inputs of the stage trainsets."""

from typing import NamedTuple

from synthrank.needs.base import StageNeeds, Wildcards, there
from synthrank.specs.base import NONE
from synthrank.specs.corpora import TRAIN
from synthrank.specs.filters import FilterSpec, LlmFilter, RoundTripFilter
from synthrank.specs.paradigms import HumanParadigm, QueriedParadigm, queryset_of, rewords
from synthrank.specs.recipes import PairsRecipe, Sized, base_and_size
from synthrank.variables import data_folder


class TrainsetDraws(NamedTuple):
    """The draws that a training set is made by.

    One param: Snakemake compares the values of params as a set, and those of another type than its own not at all.
    """

    queries: int
    negatives: int


class TrainsetNeeds(StageNeeds):
    """What recipes are made from."""

    def recipe_spec(self, wildcards: Wildcards) -> str:
        """Return the entity file of a recipe; one named with ``@N`` has its base's."""
        return self.spec("recipes", base_and_size(wildcards.recipe)[0])

    def recipe_size(self, wildcards: Wildcards) -> int:
        """Return the queries that a recipe's name asks for, 0 for what its file says."""
        return base_and_size(wildcards.recipe)[1]

    def recipe_queries(self, wildcards: Wildcards) -> str:
        """Return the queries whose candidates a distillation recipe labels."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return f"results/queries/{recipe.corpus}/{recipe.queries}/queries.jsonl"

    def pair_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries of each of a recipe's paradigms: the training split's, or an augmentation's."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        querysets = [queryset_of(self.study.entities["paradigms"][name]) for name in recipe.paradigms]
        folders = [f"{'corpora' if name == TRAIN else 'queries'}/{recipe.corpus}/{name}" for name in querysets]
        return [f"results/{folder}/queries.jsonl" for folder in folders]

    def recipe_passages(self, wildcards: Wildcards) -> str:
        """Return the passages of a recipe's corpus."""
        return f"results/corpora/{self.study.entities['recipes'][wildcards.recipe].corpus}/passages.jsonl"

    def recipe_qrels(self, wildcards: Wildcards) -> str:
        """Return the training qrels of a recipe's corpus."""
        return f"results/corpora/{self.study.entities['recipes'][wildcards.recipe].corpus}/{TRAIN}/qrels.txt"

    def recipe_run(self, wildcards: Wildcards) -> str:
        """Return the run whose candidates a distillation recipe labels."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return f"results/runs/corpora/{recipe.corpus}/{recipe.retriever}/{recipe.queries}.trec"

    def teacher_spec(self, wildcards: Wildcards) -> str:
        """Return the entity file of a distillation recipe's teacher."""
        return self.spec("retrievers", self.study.entities["recipes"][wildcards.recipe].teacher)

    def teacher_model(self, wildcards: Wildcards) -> str:
        """Return the model folder of a distillation recipe's teacher."""
        teacher = self.study.entities["recipes"][wildcards.recipe].teacher
        return f"results/models/{self.study.entities['retrievers'][teacher].model}"

    def order_candidates(self, wildcards: Wildcards) -> str:
        """Return the pools of an order recipe."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return f"results/rankings/{recipe.corpus}/{recipe.queries}/{recipe.pool}/candidates.jsonl"

    def orders(self, wildcards: Wildcards) -> str:
        """Return the orders that an LLM gave to the pools of an order recipe."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        pool = f"results/rankings/{recipe.corpus}/{recipe.queries}/{recipe.pool}"
        return f"{pool}/{recipe.ranking}/{wildcards.llm}/orders.jsonl"

    def teacher_files(self, wildcards: Wildcards) -> list[str]:
        """Return the recorded orders of a teacher recipe."""
        return [str(data_folder() / name) for name in self.study.entities["recipes"][wildcards.recipe].files]

    def teacher_source(self, wildcards: Wildcards) -> list[str]:
        """Return those of the recorded orders that are there."""
        return there(self.teacher_files(wildcards))

    def teacher_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries that recorded orders may train on; nothing where all may but the held-out ones."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [f"results/corpora/{recipe.corpus}/{recipe.split}/queries.jsonl"] if recipe.split else []

    def trainset_draws(self, wildcards: Wildcards) -> TrainsetDraws:
        """Return the draws of the queries of a training set, with their positives, and of its negatives."""
        return TrainsetDraws(
            queries=self.draws.of_part("queries", wildcards.draw),
            negatives=self.draws.of_part("negatives", wildcards.draw),
        )

    def positives(self, wildcards: Wildcards) -> list[str]:
        """Return the written passages of a recipe, in the order of its positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [f"{folder}/passages.jsonl" for folder in self._written(recipe, wildcards)]

    def pair_filters(self, wildcards: Wildcards) -> list[str]:
        """Return what the filters of a recipe's positives go by, in their order: scores, or the run of a round trip."""
        recipe: Sized = self.study.entities["recipes"][wildcards.recipe]
        if not isinstance(recipe, PairsRecipe):
            return []
        return [
            self._evidence(recipe, item.paradigm, item.filter, folder)
            for item, folder in zip(recipe.positives, self._written(recipe, wildcards), strict=True)
            if item.filter
        ]

    def _evidence(self, recipe: PairsRecipe, paradigm: str, spec: FilterSpec, folder: str) -> str:
        runs = folder.replace("results/", "results/runs/", 1)
        if isinstance(spec, RoundTripFilter):
            written = self.study.entities["paradigms"][paradigm]
            of_corpus = isinstance(written, HumanParadigm | QueriedParadigm)
            place = f"results/runs/corpora/{recipe.corpus}" if of_corpus else runs
            return f"{place}/{spec.retriever}/{queryset_of(written)}.trec"
        judged = f"{folder if isinstance(spec, LlmFilter) else runs}/judged"
        return f"{judged}/{spec.scores}.jsonl"

    def human_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages of a corpus whose human passages a graded recipe labels; nothing for other recipes."""
        stated = getattr(self.study.entities["recipes"][wildcards.recipe], "human_label", None)
        return [self.recipe_passages(wildcards)] if stated is not None else []

    def negative_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the run that negatives are taken from, for each of the recipe's positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        querysets = [queryset_of(self.study.entities["paradigms"][name]) for name in recipe.paradigms]
        places = [place for place, _ in self._negatives(recipe, wildcards)]
        return [
            f"{place}/{recipe.negatives.retriever}/{queryset}.trec"
            for place, queryset in zip(places, querysets, strict=bool(places))
        ]

    def negative_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages that the negative runs name, for each of the recipe's positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [passages for _, passages in self._negatives(recipe, wildcards)]

    def reworded(self, wildcards: Wildcards) -> list[str]:
        """Return the paradigms whose negatives are another wording of passages that a run over the corpus names."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        same = recipe.negatives and recipe.negatives.source == "same"
        return [name for name in dict.fromkeys(recipe.paradigms) if same and self._rewords(name)]

    def guard_retriever(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the retriever that scores positives and candidates, where a recipe states one."""
        return [self.spec("retrievers", name) for name in self._guard_retrievers(wildcards)]

    def guard_model(self, wildcards: Wildcards) -> list[str]:
        """Return the folder of that retriever's model."""
        names = self._guard_retrievers(wildcards)
        return [f"results/models/{self.study.entities['retrievers'][name].model}" for name in names]

    def pair_teacher(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the ranker that scores a recipe's passages, where it names one."""
        return [self.spec("rankers", name) for name in self._reranking_teachers(wildcards)]

    def pair_teacher_model(self, wildcards: Wildcards) -> list[str]:
        """Return the folder of that ranker's model."""
        return [self.ranker_model(name, NONE, NONE, 0) for name in self._reranking_teachers(wildcards)]

    def pair_gpus(self, wildcards: Wildcards) -> int:
        """Return the GPUs of a recipe of written passages: one where a model scores or compares them, else none."""
        dropped = self.study.entities["recipes"][wildcards.recipe].drop_leaks
        compares = dropped is not None and dropped.cosine is not None
        return int(compares or bool(self._guard_retrievers(wildcards) or self._reranking_teachers(wildcards)))

    def _reranking_teachers(self, wildcards: Wildcards) -> list[str]:
        teacher = getattr(self.study.entities["recipes"][wildcards.recipe], "teacher", None)
        return [teacher] if teacher else []

    def _guard_retrievers(self, wildcards: Wildcards) -> list[str]:
        recipe: Sized = self.study.entities["recipes"][wildcards.recipe]
        scored_by = recipe.negatives.guard.scored_by if recipe.negatives else None
        return [scored_by] if scored_by else []

    def _written(self, recipe: Sized, wildcards: Wildcards) -> list[str]:
        """Return the folder of written passages of each paradigm of a recipe."""
        return [
            self.draws.passage_folder(
                recipe.corpus,
                name,
                wildcards.llm if self.study.writes(name) else NONE,
                self.draws.of_passages(name, wildcards.draw),
            )
            for name in recipe.paradigms
        ]

    def _negatives(self, recipe: Sized, wildcards: Wildcards) -> list[tuple[str, str]]:
        """Return for each paradigm of a recipe the folder of the runs that negatives come from, and the passages."""
        if recipe.negatives is None:
            return []
        return [
            self._negatives_of(recipe, name, folder)
            for name, folder in zip(recipe.paradigms, self._written(recipe, wildcards), strict=True)
        ]

    def _negatives_of(self, recipe: Sized, paradigm: str, folder: str) -> tuple[str, str]:
        spec = self.study.entities["paradigms"][paradigm]
        runs, passages = f"results/runs/corpora/{recipe.corpus}", f"results/corpora/{recipe.corpus}/passages.jsonl"
        own = isinstance(spec, HumanParadigm | QueriedParadigm)
        if recipe.negatives is None or recipe.negatives.source == "human" or own:
            return runs, passages
        if self._rewords(paradigm):
            return runs, f"{folder}/collection.jsonl"
        return folder.replace("results/", "results/runs/", 1), f"{folder}/passages.jsonl"

    def _rewords(self, paradigm: str) -> bool:
        """Tell whether the passages of a paradigm are another wording of the corpus's own."""
        return rewords(self.study.entities["paradigms"][paradigm])
