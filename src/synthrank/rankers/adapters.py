"""Low-rank adapters by peft: put into a model before training, merged into its weights as it is saved."""

from copy import deepcopy
from typing import Any, TypeVar

from synthrank.errors import ModelError
from synthrank.specs.training import Lora

Model = TypeVar("Model")


def add_adapters(model: Any, lora: Lora | None, *, head: bool = False) -> None:
    """Freeze a model's weights and put adapters beside them, in place; leave it as it is if ``lora`` is None.

    Args:
        model: the bi-encoder or reranker.
        lora: rank, strength and places.
        head: whether the layers outside the model's body, such as a new classifier, are trained whole.

    Raises:
        ModelError: the model is no transformer, or has no linear layer of a target's name.
    """
    if lora is None:
        return
    from peft import LoraConfig, inject_adapter_in_model

    transformer = model.transformers_model
    if transformer is None:
        raise ModelError("lora: the model has no transformer; remove lora")
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


def merged(model: Model, lora: Lora | None) -> Model:
    """Return a model without adapters that computes the same: a copy with their products added to the weights.

    It is a copy because the training of the model goes on, and a product that is added and taken off again leaves
    rounding behind. A model whose ``lora`` is None is returned as it is.
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
