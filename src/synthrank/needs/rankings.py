"""Inputs of the stage rankings."""

from synthrank.needs.base import StageNeeds, Wildcards


class RankingNeeds(StageNeeds):
    """What pools and rankings are made from."""

    def pool_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the run of each source of a pool, in the order of its file."""
        pool = self.study.entities["pools"][wildcards.pool]
        runs = f"results/runs/corpora/{wildcards.corpus}"
        return [f"{runs}/{source}/{wildcards.queryset}.trec" for source in pool.sources]

    def ranking_prompt(self, wildcards: Wildcards) -> str:
        """Return the prompt file of a ranking."""
        return self.prompt_file(self.study.entities["rankings"][wildcards.ranking].prompt)
