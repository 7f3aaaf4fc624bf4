"""Inputs and resources of jobs that send requests to a language model, and of the stage passages."""

from synthrank.config.llms import GeminiLlm, LlmSpec, LocalLlm, OpenAiLlm
from synthrank.workflow.inputs.base import StageInputs, Wildcards, by_attempt


class LlmInputs(StageInputs):
    """Inputs and resources of jobs that send requests to a language model."""

    def api(self, wildcards: Wildcards) -> int:
        """Return 1 for an LLM that a provider hosts: the workflow lets one such job run at a time."""
        return int(isinstance(self._llm(wildcards), OpenAiLlm | GeminiLlm))

    def gpus(self, wildcards: Wildcards) -> int:
        """Return the number of GPUs of an LLM's job: 1 for a local model, otherwise 0."""
        return int(isinstance(self._llm(wildcards), LocalLlm))

    def minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the time limit of an LLM's job in minutes. A batch takes up to a day, and may be resubmitted."""
        llm = self._llm(wildcards)
        waits = isinstance(llm, OpenAiLlm | GeminiLlm) and llm.mode == "batch"
        return by_attempt(3000 if waits else 600)(wildcards, attempt)

    def name_of(self, wildcards: Wildcards) -> str:
        """Return the name of a job's LLM, which its path or its augmentation states."""
        name: str = getattr(wildcards, "llm", None) or self.study.entities["augmentations"][wildcards.augmentation].llm
        return name

    def _llm(self, wildcards: Wildcards) -> LlmSpec:
        llm: LlmSpec = self.study.entities["llms"][self.name_of(wildcards)]
        return llm

    def exemplar_draw(self, wildcards: Wildcards) -> int:
        """Return the draw of the exemplars that prompts show."""
        return self.draws.of_part("exemplars", wildcards.draw)

    def generation_draw(self, wildcards: Wildcards) -> int:
        """Return the draw of an LLM's samples."""
        return self.draws.of_part("generation", wildcards.draw)
