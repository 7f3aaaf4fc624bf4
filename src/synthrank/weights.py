"""What must hold of a model as it is opened and once it is trained: every weight is its own and finite, texts fit in.

transformers draws weights that a folder lacks at random and warns of it; nothing that is measured so is the model's.
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
    """Refuse what transformers opens within the block unless the folder holds every weight, and all are finite.

    A pooler may be missing where nothing reads it. Weights that the model has no place for, such as the head of
    another task, are left out as transformers does.

    Args:
        folder: the model, for the error.
        head: whether a head for one more task, with its pooler, may be drawn at random: the caller has seeded it. None
            is drawn for a model whose ``config.json`` says that it was saved with this head.

    Raises:
        ModelError: a weight is missing or not finite.
    """
    original = PreTrainedModel.from_pretrained.__func__

    def checked(cls: Any, *args: Any, **kwargs: Any) -> Any:
        model, told = original(cls, *args, **{**kwargs, "output_loading_info": True})
        _refuse_missing(model, told, folder, head)
        refuse_infinite(model, str(folder))
        return model

    # The libraries between here and transformers hand a model on, and cannot hand on what it says of its weights.
    PreTrainedModel.from_pretrained = classmethod(checked)
    try:
        yield
    finally:
        PreTrainedModel.from_pretrained = classmethod(original)


def _refuse_missing(model: Any, told: Mapping[str, Any], folder: Path, head: bool) -> None:
    prefix = f"{model.base_model_prefix}."
    drawn = head and type(model).__name__ not in (model.config.architectures or ())

    def may_be_drawn(key: str) -> bool:
        body = key.removeprefix(prefix)
        if body.startswith("pooler."):
            return drawn or not head
        return drawn and body == key

    missing = sorted(key for key in told["missing_keys"] if not may_be_drawn(key))
    if missing:
        strange = sorted(told["unexpected_keys"])
        instead = f"; it holds {len(strange)} of other names, the first {strange[0]!r}" if strange else ""
        raise ModelError(
            f"{folder}: {len(missing)} weights of a {type(model).__name__} are missing, the first {missing[0]!r}"
            f"{instead}; expected all, for they would be drawn at random"
        )


def refuse_not_causal(model: PreTrainedModel, folder: Path) -> None:
    """Raise ModelError unless a model that was opened as a causal language model was saved as one.

    transformers also opens a masked language model so, a BERT, say, whose tokens all see those that follow.
    """
    saved = model.config.architectures or [type(model).__name__]
    if type(model).__name__ not in saved:
        raise ModelError(f"{folder}: holds a {saved[0]}; expected a causal language model")


def refuse_infinite(model: torch.nn.Module, where: str, remedy: str = "expected finite numbers") -> None:
    """Raise ModelError where a parameter of a model has a value that is not a finite number.

    Args:
        model: the model.
        where: what is said before it in the error.
        remedy: what is said after it.
    """
    counts = {name: int((~torch.isfinite(item)).sum()) for name, item in model.named_parameters()}
    if bad := sum(counts.values()):
        first = next(name for name, count in counts.items() if count)
        total = sum(item.numel() for item in model.parameters())
        raise ModelError(f"{where}: {bad} of {total} weights are not finite, the first in {first}; {remedy}")


def refuse_long(model: Any, folder: Path, length: int) -> None:
    """Raise ModelError where texts may be longer than a transformer has positions.

    Args:
        model: the transformer; one whose positions are relative, as T5's, reads any length, and so does none at all.
        folder: where it is from, for the error.
        length: tokens of the longest text that an entity allows.
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
            # RoBERTa and its kin count from the row after that of the padding.
            return int(part.num_embeddings) - (0 if part.padding_idx is None else int(part.padding_idx) + 1)
    stated = getattr(model.config, "max_position_embeddings", None)
    return stated if isinstance(stated, int) and stated > 0 else None
