"""Inputs and resources of jobs that ask a language model, and of the stage passages."""

from synthrank.needs.base import StageNeeds, Wildcards, by_attempt
from synthrank.specs.llms import GeminiLlm, LlmSpec, LocalLlm, OpenAiLlm
from synthrank.variables import data_folder


class LlmNeeds(StageNeeds):
    """What jobs need that ask a language model."""

    def llm_model(self, wildcards: Wildcards) -> list[str]:
        """Return the folder of the model that an LLM runs in-process, if it does."""
        llm = self._llm(wildcards)
        return [f"results/models/{llm.model}"] if isinstance(llm, LocalLlm) else []

    def llm_api(self, wildcards: Wildcards) -> int:
        """Return 1 for an LLM that a provider hosts: the workflow lets one such job run at a time."""
        return int(isinstance(self._llm(wildcards), OpenAiLlm | GeminiLlm))

    def llm_gpus(self, wildcards: Wildcards) -> int:
        """Return how many GPUs the job of an LLM can use: one for a model that runs in-process."""
        return len(self.llm_model(wildcards))

    def llm_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Return how many minutes the job of an LLM may take: a batch takes up to a day, and may be resubmitted."""
        llm = self._llm(wildcards)
        waits = isinstance(llm, OpenAiLlm | GeminiLlm) and llm.mode == "batch"
        return by_attempt(3000 if waits else 600)(wildcards, attempt)

    def _llm(self, wildcards: Wildcards) -> LlmSpec:
        """Return the LLM of a job: the one of its path, or the one of the augmentation it makes."""
        name = getattr(wildcards, "llm", None) or self.study.entities["augmentations"][wildcards.augmentation].llm
        llm: LlmSpec = self.study.entities["llms"][name]
        return llm

    def exemplar_draw(self, wildcards: Wildcards) -> int:
        """Return the draw of the exemplars that prompts show."""
        return self.draws.of_part("exemplars", wildcards.draw)

    def generation_draw(self, wildcards: Wildcards) -> int:
        """Return the draw of an LLM's samples."""
        return self.draws.of_part("generation", wildcards.draw)

    def prompt(self, wildcards: Wildcards) -> str:
        """Return the prompt file of a paradigm."""
        return self.prompt_file(self.study.entities["paradigms"][wildcards.paradigm].prompt)

    def imported_file(self, wildcards: Wildcards) -> str:
        """Return the file of an imported paradigm."""
        return str(data_folder() / self.study.entities["paradigms"][wildcards.paradigm].file)
