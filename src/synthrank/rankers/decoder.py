"""A causal language model as a reranker (Qwen3-Reranker, Zhang et al. 2025)."""

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from synthrank.config.rankers import DecoderRanker
from synthrank.errors import ModelError
from synthrank.rankers.prompt_score import PromptScore, load_language_model
from synthrank.runtime.model_checks import refuse_long, refuse_not_causal


class DecoderScore(PromptScore):
    """The score at the last token of the prompt."""

    def logits(self, features: dict[str, Tensor]) -> Tensor:
        """Return the logits of the answer tokens after each prompt, shape (pairs, answers)."""
        mask = features["attention_mask"]
        logits = self.answer_logits(input_ids=features["input_ids"], attention_mask=mask)
        # Padding is on the right, so no token of the prompt attends to it.
        return logits[torch.arange(len(mask), device=mask.device), mask.sum(dim=1) - 1]


def open_decoder(spec: DecoderRanker, folder: Path, dtype: torch.dtype, max_length: int | None = None) -> DecoderScore:
    """Load a causal language model and its tokenizer.

    Args:
        spec: the ranker.
        folder: the model.
        dtype: the type of the weights.
        max_length: tokens of a prompt; by default as in training.

    Raises:
        ModelError: the folder does not contain a causal language model, weights are missing, the model's maximum length
            is too small, or the tokenizer appends a token to every text.
    """
    model, tokenizer = load_language_model(AutoModelForCausalLM, folder, dtype, "a decoder")
    refuse_not_causal(model, folder)
    refuse_long(model, folder, spec.longest)
    closed, plain = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    if closed[-1] != plain[-1]:
        token = tokenizer.convert_ids_to_tokens(closed[-1])
        raise ModelError(
            f"{folder}: the tokenizer appends {token} to every text; expected a tokenizer for generation, because the "
            "score is computed at the last token of the prompt"
        )
    return DecoderScore(model, tokenizer, spec, max_length)
