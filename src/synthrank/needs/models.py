"""Inputs of the stage models."""

from synthrank.needs.base import StageNeeds, Wildcards


class ModelNeeds(StageNeeds):
    """What models are made from that are not taken as they come."""

    def model_base(self, wildcards: Wildcards) -> str:
        """Return the folder of the model that another one is made from."""
        return f"results/models/{self.study.entities['models'][wildcards.model].model}"

    def token_table_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages whose document frequencies weigh a token table; empty where none do."""
        corpus = self.study.entities["models"][wildcards.model].idf
        return [f"results/corpora/{corpus}/passages.jsonl"] if corpus else []
