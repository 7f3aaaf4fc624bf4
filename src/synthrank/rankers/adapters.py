"""Low-rank adapters by peft: added to a model before training, merged into its weights when it is saved."""

from copy import deepcopy
from typing import Any, TypeVar

from synthrank.config.training import Lora
from synthrank.errors import ModelError

Model = TypeVar("Model")


def add_adapters(model: Any, lora: Lora | None, *, head: bool = False) -> None:
    """Freeze a model's weights and add adapters, in place.

    Args:
        model: the bi-encoder or reranker.
        lora: rank, strength and target layers; ``None`` leaves the model unchanged.
        head: whether to train all weights of the layers outside the model's body, such as a new classifier.

    Raises:
        ModelError: the model is not a transformer, or has no linear layer with a target's name.
    """
    if lora is None:
        return
    from peft import LoraConfig, inject_adapter_in_model

    transformer = model.transformers_model
    if transformer is None:
        raise ModelError("lora: the base model has no transformer layers to adapt; remove lora from the ranker's file")
    transformer.requires_grad_(False)
    body = transformer.base_model
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) if lora.targets else "all-linear",
    )
    try:
        inject_adapter_in_model(config, body)
    except ValueError as error:
        raise ModelError(f"lora.targets: {' '.join(str(error).split())}") from error
    if head:
        inside = {id(parameter) for parameter in body.parameters()}
        for parameter in transformer.parameters():
            parameter.requires_grad_(parameter.requires_grad or id(parameter) not in inside)


def merge_adapters(model: Model, lora: Lora | None) -> Model:
    """Return a copy of a model with its adapters merged into the weights; it computes the same scores.

    The model itself keeps its adapters, because training continues with it, and unmerging would leave rounding errors.
    If ``lora`` is ``None``, the model itself is returned.
    """
    if lora is None:
        return model
    from peft.tuners.lora import LoraLayer

    copy: Any = deepcopy(model)
    for name, layer in list(copy.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge(safe_merge=True)
            copy.set_submodule(name, layer.get_base_layer())
    return copy  # type: ignore[no-any-return]
