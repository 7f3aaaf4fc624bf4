"""Language models as rerankers, as the first module of a sentence-transformers cross-encoder.

The score is computed from the logits of the first token after the prompt (Nogueira et al. 2020).
"""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from sentence_transformers.base.modules import InputModule
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from synthrank.config.rankers import PromptRanker
from synthrank.errors import ModelError
from synthrank.rankers.batching import LENGTHS
from synthrank.rankers.t5_prompt import PairPrompt, TextPair
from synthrank.runtime.model_checks import own_weights


def logit_difference(outputs: Tensor) -> Tensor:
    """Return the first output (relevant) minus the second (not relevant), as TWOLAR does for *true* and *false*."""
    return outputs[:, 0] - outputs[:, 1]


def softmax(outputs: Tensor) -> Tensor:
    """Return the softmax probability of the first output (relevant) of two, as in monoT5 and monoBERT."""
    return outputs.softmax(dim=1)[:, 0]


def only_logit(outputs: Tensor) -> Tensor:
    """Return the only output, in RankT5 the logit of an unused token."""
    return outputs[:, 0]


STRATEGIES: dict[str, Callable[[Tensor], Tensor]] = {
    "difference": logit_difference,
    "softmax": softmax,
    "extra-id": only_logit,
}
"""Functions from outputs (pairs, outputs) to scores (pairs,), by their names in rankers' files."""


class PromptScore(InputModule):  # type: ignore[misc]  # the library is untyped
    """A module that maps the prompt of each pair to one score."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        spec: PromptRanker,
        max_length: int | None = None,
    ) -> None:
        """Initialise the module.

        Args:
            model: a language model with its head.
            tokenizer: the model's tokenizer.
            spec: the ranker, with prompt, answers and score.
            max_length: tokens of a prompt; by default as in training.

        Raises:
            ModelError: an answer is not a single token, both answers are the same token, or the prompt without query
                and passage exceeds the length.
        """
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.max_seq_length = max_length or spec.max_length
        self.prompt = PairPrompt(spec.prompt, tokenizer, self.max_seq_length)
        self.passages_cut = self.queries_cut = 0
        head = model.get_output_embeddings()
        self.head = next(name for name, part in model.named_modules() if part is head)
        """The name of the layer that computes the logits."""
        self._strategy = STRATEGIES[spec.score]
        self._answers = answers_of(tokenizer, spec)

    def preprocess(self, inputs: list[TextPair], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Return the tokens of the pairs' prompts, shape (pairs, longest prompt), and count truncated pairs.

        Padding is always on the right, so positions are the same with and without padding.
        """
        fitted = self.prompt.fit(inputs)
        self.passages_cut += fitted.passages_cut
        self.queries_cut += fitted.queries_cut
        lengths = [len(row) for row in fitted.ids]
        ids = pad_sequence(
            [torch.tensor(row) for row in fitted.ids],
            batch_first=True,
            padding_value=self.tokenizer.pad_token_id or 0,  # any token will do, because it is masked
        )
        mask = torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]
        return {"input_ids": ids, "attention_mask": mask.long(), LENGTHS: lengths}

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the scores, shape (pairs, 1)."""
        return {"scores": self._strategy(self.logits(features))[:, None]}

    @abstractmethod
    def logits(self, features: dict[str, Tensor]) -> Tensor:
        """Return the logits of the answer tokens after the prompt, shape (pairs, answers)."""

    def answer_logits(self, **inputs: Tensor) -> Tensor:
        """Return the logits of the answer tokens at every position, shape (pairs, positions, answers).

        The model's own forward pass runs with a head that is reduced to the rows of the answers, because model families
        differ before and after the head: T5 scales if its embeddings are tied, Flan-T5 and mT5 do not, Gemma caps its
        logits.
        """
        head = self.model.get_submodule(self.head)
        rows = {f"{self.head}.{name}": part[list(self._answers)] for name, part in head.named_parameters()}
        output = torch.func.functional_call(
            self.model,
            rows,
            kwargs={**inputs, "use_cache": False},
            tie_weights=False,  # embeddings tied to the head keep all rows
        )
        logits: Tensor = output.logits
        return logits

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write model and tokenizer in the format of transformers, which loads them without this module."""
        self.model.save_pretrained(output_path)
        self.tokenizer.save_pretrained(output_path)


def answers_of(tokenizer: PreTrainedTokenizerBase, spec: PromptRanker) -> tuple[int, ...]:
    """Return the ids of the answer tokens: relevant and not relevant, or only the extra token.

    Raises:
        ModelError: an answer is not a single token of the tokenizer, or both answers are the same token.
    """
    found = []
    for text in spec.answers:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            pieces = " ".join(tokenizer.convert_ids_to_tokens(ids))
            raise ModelError(
                f"{tokenizer.name_or_path}: the answer {text!r} is not one token but {pieces!r}; expected a single "
                "token of the vocabulary"
            )
        found.append(ids[0])
    if len(set(found)) < len(found):
        raise ModelError(
            f"{tokenizer.name_or_path}: the answers {' and '.join(map(repr, spec.answers))} are the same token; "
            "expected two different tokens"
        )
    return tuple(found)


def load_language_model(family: Any, folder: Path, dtype: torch.dtype, expected: str) -> tuple[Any, Any]:
    """Return a language model and its tokenizer.

    Args:
        family: the class of transformers that loads the model.
        folder: the model.
        dtype: the type of the weights.
        expected: the expected kind of model, for the message of the error.

    Raises:
        ModelError: the folder does not contain such a model, or its weights or a fast tokenizer are missing.
    """
    try:
        with own_weights(folder):
            model = family.from_pretrained(folder, dtype=dtype, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: not {expected} ({error}); expected its config.json, tokenizer and safetensors"
        ) from error
    if model.get_output_embeddings() is None or not tokenizer.is_fast:
        raise ModelError(
            f"{folder}: a {model.config.model_type} without a head or without a fast tokenizer; expected {expected} "
            "with both"
        )
    return model, tokenizer
