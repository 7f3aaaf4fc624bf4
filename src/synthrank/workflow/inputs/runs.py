"""Inputs of the stage runs, except for trained rankers on test sets."""

from synthrank.config.base import NONE
from synthrank.data.paths import BY_RANKER, BY_RETRIEVER, CORPUS
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards, as_param


class RunInputs(StageInputs):
    """Inputs of retrievers."""

    def encoding_settings(self, wildcards: Wildcards) -> str:
        """Return the settings in the retriever's file that affect encoded passages."""
        return as_param(self.study.entities["retrievers"][wildcards.retriever].encoding_settings)

    def passages_as(self, wildcards: Wildcards) -> str:
        """Return whose prefix precedes the passages of a collection, as the test sets of its corpus state."""
        collection = getattr(wildcards, "collection", None) or CORPUS(corpus=wildcards.corpus)
        if not CORPUS.fits(collection):
            return "passages"
        return self.study.passages_as(CORPUS.names(collection)["corpus"])

    def index_settings(self, wildcards: Wildcards) -> str:
        """Return the settings in the retriever's file that affect its index."""
        return as_param(self.study.entities["retrievers"][wildcards.retriever].index_settings)

    def reranker_model(self, wildcards: Wildcards) -> str:
        """Return the folder of a reranked retriever's model: its recipe needs no language model."""
        retriever = self.study.entities["retrievers"][wildcards.retriever]
        return self.ranker_model(retriever.ranker, retriever.recipe or NONE, NONE, retriever.seed)

    def judge(self, wildcards: Wildcards) -> list[Row]:
        """Return the reranker or dense retriever that scores generated passages."""
        return [form.names(wildcards.judge) for form in (BY_RANKER, BY_RETRIEVER) if form.fits(wildcards.judge)]

    def corpus(self, wildcards: Wildcards) -> list[Row]:
        """Return the corpus of a collection that is a corpus."""
        return [CORPUS.names(wildcards.collection)]
