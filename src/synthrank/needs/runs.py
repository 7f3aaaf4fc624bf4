"""Inputs of the stage runs, but for trained rankers on suites."""

from synthrank.needs.base import StageNeeds, Wildcards, as_param
from synthrank.specs.base import NONE
from synthrank.variables import data_folder


class RunNeeds(StageNeeds):
    """What retrievers read."""

    def retriever_model(self, wildcards: Wildcards) -> str:
        """Return the folder of the model that encodes a retriever's passages."""
        return f"results/models/{self.study.entities['retrievers'][wildcards.retriever].model}"

    def retriever_query_model(self, wildcards: Wildcards) -> str:
        """Return the folder of the model that encodes a retriever's queries."""
        retriever = self.study.entities["retrievers"][wildcards.retriever]
        return f"results/models/{retriever.query_model or retriever.model}"

    def encoding_settings(self, wildcards: Wildcards) -> str:
        """Return what encoded passages depend on of their retriever's file."""
        return as_param(self.study.entities["retrievers"][wildcards.retriever].encoding_settings)

    def passages_as(self, wildcards: Wildcards) -> str:
        """Return whose prefix stands before the passages of a collection, as the test sets of its corpus say."""
        kind, name = wildcards.collection.split("/")[:2]
        return self.study.passages_as(name) if kind == "corpora" else "passages"

    def index_settings(self, wildcards: Wildcards) -> str:
        """Return what an index depends on of its retriever's file."""
        return as_param(self.study.entities["retrievers"][wildcards.retriever].index_settings)

    def reranked_run(self, wildcards: Wildcards) -> str:
        """Return the run that a reranked retriever reorders: its first stage's of the same queries."""
        first_stage = self.study.entities["retrievers"][wildcards.retriever].retriever
        return f"results/runs/{wildcards.collection}/{first_stage}/{wildcards.queryset}.trec"

    def reranker_spec(self, wildcards: Wildcards) -> str:
        """Return the entity file of a reranked retriever's ranker."""
        return self.spec("rankers", self.study.entities["retrievers"][wildcards.retriever].ranker)

    def reranker_model(self, wildcards: Wildcards) -> str:
        """Return the folder of a reranked retriever's model: its recipe needs no language model."""
        retriever = self.study.entities["retrievers"][wildcards.retriever]
        return self.ranker_model(retriever.ranker, retriever.recipe or NONE, NONE, retriever.seed)

    def scoring_ranker(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the reranker that scores written passages, where one does."""
        kind, name = wildcards.judge.split("/")
        return [self.spec(kind, name)] if kind == "rankers" else []

    def scoring_retriever(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the dense retriever that scores written passages, where one does."""
        kind, name = wildcards.judge.split("/")
        return [self.spec(kind, name)] if kind == "retrievers" else []

    def scoring_model(self, wildcards: Wildcards) -> str:
        """Return the folder of its model."""
        kind, name = wildcards.judge.split("/")
        if kind == "rankers":
            return self.ranker_model(name, NONE, NONE, 0)
        return f"results/models/{self.study.entities['retrievers'][name].model}"

    def ordered_lists(self, wildcards: Wildcards) -> str:
        """Return the orders that an ordered retriever is made from; they are of a corpus, never of written passages."""
        retriever = self.study.entities["retrievers"][wildcards.retriever]
        pool = f"results/rankings/{wildcards.collection.split('/')[1]}/{wildcards.queryset}/{retriever.pool}"
        return f"{pool}/{retriever.ranking}/{retriever.llm}/orders.jsonl"

    def recorded_file(self, wildcards: Wildcards) -> str:
        """Return the file of a recorded retriever."""
        return str(data_folder() / self.study.entities["retrievers"][wildcards.retriever].file)
