"""Inputs of the stage trainsets."""

from synthrank.needs.base import StageNeeds, Wildcards, data_folder
from synthrank.specs.base import NONE
from synthrank.specs.corpora import TRAIN
from synthrank.specs.recipes import DistilRecipe


class TrainsetNeeds(StageNeeds):
    """What recipes are made from."""

    def recipe_queries(self, wildcards: Wildcards) -> str:
        """Return the queries of a recipe: its corpus's training split, or its augmentation."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        if isinstance(recipe, DistilRecipe):
            return f"results/queries/{recipe.corpus}/{recipe.queries}/queries.jsonl"
        return f"results/corpora/{recipe.corpus}/{TRAIN}/queries.jsonl"

    def recipe_passages(self, wildcards: Wildcards) -> str:
        """Return the passages of a recipe's corpus."""
        return f"results/corpora/{self.study.entities['recipes'][wildcards.recipe].corpus}/passages.jsonl"

    def recipe_qrels(self, wildcards: Wildcards) -> str:
        """Return the training judgments of a recipe's corpus."""
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

    def teacher_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries that recorded orders may train on; nothing where all may but the held-out ones."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [f"results/corpora/{recipe.corpus}/{recipe.split}/queries.jsonl"] if recipe.split else []

    def positives(self, wildcards: Wildcards) -> list[str]:
        """Return the written passages of a recipe, in the order of its positives."""
        return [f"{folder}/passages.jsonl" for folder in self._written(wildcards)]

    def negative_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the run that negatives are taken from, for each of the recipe's positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [f"{place}/{recipe.negatives.retriever}/{TRAIN}.trec" for place, _ in self._negatives(wildcards)]

    def negative_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages that the negative runs name, for each of the recipe's positives."""
        return [passages for _, passages in self._negatives(wildcards)]

    def _written(self, wildcards: Wildcards) -> list[str]:
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [
            f"results/passages/{recipe.corpus}/{item.paradigm}/"
            + (wildcards.llm if self.study.writes(item.paradigm) else NONE)
            for item in recipe.positives
        ]

    def _negatives(self, wildcards: Wildcards) -> list[tuple[str, str]]:
        recipe = self.study.entities["recipes"][wildcards.recipe]
        human = (f"results/runs/corpora/{recipe.corpus}", f"results/corpora/{recipe.corpus}/passages.jsonl")
        return [
            (folder.replace("results/", "results/runs/", 1), f"{folder}/passages.jsonl")
            if recipe.negatives.source == "same" and self.study.writes(item.paradigm)
            else human
            for item, folder in zip(recipe.positives, self._written(wildcards), strict=True)
        ]
