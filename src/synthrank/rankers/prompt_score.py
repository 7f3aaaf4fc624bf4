"""A language model as a reranker: the first module of a sentence-transformers cross-encoder, for its trainer's sake.

The score comes from the logits of the first token that the model would write after its prompt (Nogueira et al. 2020).
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

from synthrank.errors import ModelError
from synthrank.rankers.microbatch import LENGTHS
from synthrank.rankers.pair_prompt import Pair, PairPrompt
from synthrank.specs.rankers import PromptRanker
from synthrank.weights import own_weights


def difference(outputs: Tensor) -> Tensor:
    """Return relevant minus not relevant, given in that order (TWOLAR: logits of the tokens true and false)."""
    return outputs[:, 0] - outputs[:, 1]


def softmax(outputs: Tensor) -> Tensor:
    """Return the part of relevant in the softmax over relevant and not, given in that order (monoT5, monoBERT)."""
    return outputs.softmax(dim=1)[:, 0]


def only(outputs: Tensor) -> Tensor:
    """Return the one output (RankT5: the logit of an otherwise unused token)."""
    return outputs[:, 0]


STRATEGIES: dict[str, Callable[[Tensor], Tensor]] = {"difference": difference, "softmax": softmax, "extra-id": only}
"""How outputs of shape (pairs, outputs) become scores of shape (pairs,), by the names of the entity files."""


class PromptScore(InputModule):  # type: ignore[misc]  # the library is untyped
    """Prompts in, one score a pair out."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        spec: PromptRanker,
        max_length: int | None = None,
    ) -> None:
        """Take a model.

        Args:
            model: a language model with its head.
            tokenizer: its tokenizer.
            spec: prompt, answers and how they make a score.
            max_length: tokens of a prompt; as in training by default.

        Raises:
            ModelError: an answer is not one token, both are the same, or the prompt alone exceeds the length.
        """
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.max_seq_length = max_length or spec.max_length
        self.prompt = PairPrompt(spec.prompt, tokenizer, self.max_seq_length)
        self.passages_cut = self.queries_cut = 0
        head = model.get_output_embeddings()
        self.head = next(name for name, part in model.named_modules() if part is head)
        """The name of the layer that gives the logits."""
        self._strategy = STRATEGIES[spec.score]
        self._answers = answers_of(tokenizer, spec)

    def preprocess(self, inputs: list[Pair], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Return the tokens of the pairs' prompts, each (pairs, longest prompt), and count the pairs that were cut.

        They are padded at the right whatever the tokenizer says, so that every position is what it is without padding.
        """
        fitted = self.prompt.fit(inputs)
        self.passages_cut += fitted.passages_cut
        self.queries_cut += fitted.queries_cut
        lengths = [len(row) for row in fitted.ids]
        ids = pad_sequence(
            [torch.tensor(row) for row in fitted.ids],
            batch_first=True,
            padding_value=self.tokenizer.pad_token_id or 0,  # the mask hides it: any token serves where none is named
        )
        mask = torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]
        return {"input_ids": ids, "attention_mask": mask.long(), LENGTHS: lengths}

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the scores, shape (pairs, 1)."""
        return {"scores": self._strategy(self.logits(features))[:, None]}

    @abstractmethod
    def logits(self, features: dict[str, Tensor]) -> Tensor:
        """Return the logits of the answers as the next token, shape (pairs, answers)."""

    def answer_logits(self, **inputs: Tensor) -> Tensor:
        """Return the logits of the answers at every position, shape (pairs, positions, answers).

        Only the head's rows of the answers are multiplied. The model's own code does it, with the rows in the place of
        the whole head, since families differ in what they do before and after: T5 scales where its embeddings are tied,
        Flan-T5 and mT5 do not, Gemma bounds its logits.
        """
        head = self.model.get_submodule(self.head)
        rows = {f"{self.head}.{name}": part[list(self._answers)] for name, part in head.named_parameters()}
        output = torch.func.functional_call(
            self.model,
            rows,
            kwargs={**inputs, "use_cache": False},
            tie_weights=False,  # the embeddings keep all rows where they are tied to the head
        )
        logits: Tensor = output.logits
        return logits

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write model and tokenizer as transformers does: nothing of this module is needed to load them."""
        self.model.save_pretrained(output_path)
        self.tokenizer.save_pretrained(output_path)


def answers_of(tokenizer: PreTrainedTokenizerBase, spec: PromptRanker) -> tuple[int, ...]:
    """Return the ids of the tokens whose logits make the score: relevant and not, or the extra one alone.

    Raises:
        ModelError: an answer is not one token of the tokenizer, or both are the same.
    """
    found = []
    for text in spec.answers:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            pieces = " ".join(tokenizer.convert_ids_to_tokens(ids))
            raise ModelError(
                f"{tokenizer.name_or_path}: the answer {text!r} is not one token but {pieces!r}; name one that the "
                "tokenizer knows"
            )
        found.append(ids[0])
    if len(set(found)) < len(found):
        raise ModelError(
            f"{tokenizer.name_or_path}: {' and '.join(map(repr, spec.answers))} are the same token; name two"
        )
    return tuple(found)


def load(family: Any, folder: Path, dtype: torch.dtype, expected: str) -> tuple[Any, Any]:
    """Return a language model and its tokenizer.

    Args:
        family: the class of transformers that opens it.
        folder: the model.
        dtype: the type of the weights.
        expected: what the folder should hold, for the error.

    Raises:
        ModelError: the folder holds no such model, lacks weights of it, or has no fast tokenizer.
    """
    try:
        with own_weights(folder):
            model = family.from_pretrained(folder, dtype=dtype, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: not {expected} ({error}); expected config.json, tokenizer and safetensors of one"
        ) from error
    if model.get_output_embeddings() is None or not tokenizer.is_fast:
        raise ModelError(
            f"{folder}: a {model.config.model_type} that cannot score; expected {expected} with its head, and a fast "
            "tokenizer"
        )
    return model, tokenizer
