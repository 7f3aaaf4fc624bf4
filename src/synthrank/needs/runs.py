"""Inputs of the stage runs, but for trained rankers on suites."""

from synthrank.needs.base import StageNeeds, Wildcards


class RunNeeds(StageNeeds):
    """What retrievers read."""

    def retriever_model(self, wildcards: Wildcards) -> str:
        """Return the folder of a dense retriever's model."""
        return f"results/models/{self.study.entities['retrievers'][wildcards.retriever].model}"
