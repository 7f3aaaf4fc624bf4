"""Inputs of the stage queries."""

from typing import Any

from synthrank.needs.base import RAW, StageNeeds, Wildcards
from synthrank.study import Study


class QueryNeeds(StageNeeds):
    """What augmentations are made from."""

    def query_model(self, wildcards: Wildcards) -> str:
        """Return the folder of the model that predicts queries."""
        return f"results/models/{self._augmentation(wildcards).model}"

    def query_prompt(self, wildcards: Wildcards) -> str:
        """Return the prompt file by which a language model is asked for queries."""
        return self.prompt_file(self._augmentation(wildcards).prompt)

    def query_llm(self, wildcards: Wildcards) -> str:
        """Return the entity file of the language model that is asked for queries."""
        return self.spec("llms", self._augmentation(wildcards).llm)

    def query_exemplars(self, wildcards: Wildcards) -> list[str]:
        """Return the exemplars that prompts for queries show, where they show any."""
        return exemplars_of(self.study, wildcards.corpus, wildcards.augmentation)

    def mixture_parts(self, wildcards: Wildcards) -> list[str]:
        """Return the filtered queries of each part of a mixture, in the order of its file."""
        parts = self._augmentation(wildcards).parts
        return [f"results/queries/{wildcards.corpus}/{part.augmentation}/queries.jsonl" for part in parts]

    def paradigm_queries(self, wildcards: Wildcards) -> str:
        """Return the queries that a paradigm pairs with the passages that they were made from."""
        name = self.study.entities["paradigms"][wildcards.paradigm].augmentation
        return f"results/queries/{wildcards.corpus}/{name}/queries.jsonl"

    def filter_testsets(self, wildcards: Wildcards) -> list[str]:
        """Return the queries of each test set that an augmentation's queries may not overlap with."""
        found = [self.study.entities["testsets"][name] for name in self._augmentation(wildcards).filters.testsets]
        return [f"results/corpora/{testset.corpus}/{testset.split}/queries.jsonl" for testset in found]

    def round_trip_run(self, wildcards: Wildcards) -> list[str]:
        """Return the run of an augmentation's unfiltered queries that tells which of them find their source."""
        trip = self._augmentation(wildcards).filters.round_trip
        runs = f"results/runs/corpora/{wildcards.corpus}"
        return [f"{runs}/{trip.retriever}/{wildcards.augmentation}{RAW}.trec"] if trip else []

    def _augmentation(self, wildcards: Wildcards) -> Any:
        return self.study.entities["augmentations"][wildcards.augmentation]


def exemplars_of(study: Study, corpus: str, augmentation: str) -> list[str]:
    """Return the exemplars that prompts for an augmentation's queries show, where they show any."""
    shows = getattr(study.entities["augmentations"][augmentation], "exemplars", None)
    return [f"results/queries/{corpus}/{augmentation}/exemplars.jsonl"] if shows else []
