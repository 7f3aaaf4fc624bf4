"""Checks of a model when it is opened and after training: all weights are present and finite, and texts fit.

transformers only warns about missing weights and initialises them at random. Scores of such a model are meaningless.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from synthrank.errors import ModelError


@contextmanager
def own_weights(folder: Path, *, head: bool = False) -> Iterator[None]:
    """Refuse models that transformers opens within the block if a weight is missing or not finite.

    An unused pooler may be missing. As in transformers, weights without a place in the model, such as the head of
    another task, are ignored.

    Args:
        folder: the model's folder, for the error.
        head: whether the head of a new task and its pooler may be initialised at random. The caller sets the seed
            before. The head must be present if ``config.json`` states that the model was saved with it.

    Raises:
        ModelError: a weight is missing or not finite.
    """
    original = PreTrainedModel.from_pretrained.__func__

    def checked(cls: Any, *args: Any, **kwargs: Any) -> Any:
        model, loading = original(cls, *args, **{**kwargs, "output_loading_info": True})
        _refuse_missing(model, loading, folder, head)
        refuse_infinite(model, str(folder))
        return model

    # The libraries that call transformers return only the model, without the loading info.
    PreTrainedModel.from_pretrained = classmethod(checked)
    try:
        yield
    finally:
        PreTrainedModel.from_pretrained = classmethod(original)


def _refuse_missing(model: Any, loading: Mapping[str, Any], folder: Path, head: bool) -> None:
    prefix = f"{model.base_model_prefix}."
    drawn = head and type(model).__name__ not in (model.config.architectures or ())

    def may_be_drawn(key: str) -> bool:
        body = key.removeprefix(prefix)
        if body.startswith("pooler."):
            return drawn or not head
        return drawn and body == key

    missing = sorted(key for key in loading["missing_keys"] if not may_be_drawn(key))
    if missing:
        unexpected = sorted(loading["unexpected_keys"])
        instead = f"; it has {len(unexpected)} unexpected ones, the first {unexpected[0]!r}" if unexpected else ""
        raise ModelError(
            f"{folder}: {len(missing)} weights of a {type(model).__name__} are missing, the first {missing[0]!r}"
            f"{instead}; expected all weights: missing ones would be random"
        )


def refuse_not_causal(model: PreTrainedModel, folder: Path) -> None:
    """Raise ModelError if a model opened as a causal language model was saved as another type of model.

    transformers also opens masked language models such as BERT this way, whose tokens attend to later tokens.
    """
    saved = model.config.architectures or [type(model).__name__]
    if type(model).__name__ not in saved:
        raise ModelError(f"{folder}: contains a {saved[0]}; expected a causal language model")


def refuse_infinite(model: torch.nn.Module, where: str, remedy: str = "expected finite numbers") -> None:
    """Raise ModelError if a parameter of a model is not finite.

    Args:
        model: the model.
        where: the start of the error message.
        remedy: the end of the error message.
    """
    counts = {name: int((~torch.isfinite(item)).sum()) for name, item in model.named_parameters()}
    if bad := sum(counts.values()):
        first = next(name for name, count in counts.items() if count)
        total = sum(item.numel() for item in model.parameters())
        raise ModelError(f"{where}: {bad} of {total} weights are not finite, the first in {first}; {remedy}")


def refuse_long(model: Any, folder: Path, length: int) -> None:
    """Raise ModelError if texts may have more tokens than a transformer has positions.

    Args:
        model: the transformer, or None. None and models with relative positions, such as T5, read texts of any length.
        folder: the model's folder, for the error.
        length: the maximum number of tokens of a text.
    """
    most = _positions(model)
    if most is not None and length > most:
        raise ModelError(
            f"{folder}: has {most} positions, too few for {length} tokens; lower max_length or eval_max_length"
        )


def _positions(model: Any) -> int | None:
    if model is None:
        return None
    for name, part in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, torch.nn.Embedding):
            # RoBERTa and its variants count positions from the row after the padding row.
            return int(part.num_embeddings) - (0 if part.padding_idx is None else int(part.padding_idx) + 1)
    stated = getattr(model.config, "max_position_embeddings", None)
    return stated if isinstance(stated, int) and stated > 0 else None
