"""Make a model of the first layers of another: small enough to be trained where the whole one is not."""

import logging
from pathlib import Path

from synthrank.errors import ModelError
from synthrank.files import atomic_path, sha256_of, write_json
from synthrank.specs.base import load
from synthrank.specs.models import FirstLayersModel, ModelSpec

_log = logging.getLogger(__name__)


def take_first_layers(*, spec: Path, base: Path, model: Path) -> None:
    """Write a causal language model with the first layers of another, and with its embeddings, last norm and head.

    Args:
        spec: the model's file of config/models.
        base: the folder of the model whose layers are taken.
        model: the folder to make: config.json, tokenizer, safetensors and ``source.json``.

    Raises:
        ModelError: the base is no causal language model, or has fewer layers.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from synthrank.weights import own_weights, refuse_not_causal

    entity: FirstLayersModel = load(ModelSpec, spec)
    try:
        config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
        whole = config.num_hidden_layers
        if whole < entity.layers:
            raise ModelError(f"{spec}: layers: got {entity.layers}; {base} has {whole}, state at most as many")
        config.num_hidden_layers = entity.layers
        if getattr(config, "layer_types", None):  # one kind of attention a layer, as Qwen and Gemma state it
            config.layer_types = config.layer_types[: entity.layers]
        with own_weights(base):
            loaded = AutoModelForCausalLM.from_pretrained(
                base, config=config, local_files_only=True, trust_remote_code=False, dtype="auto"
            )
    except (AttributeError, OSError, ValueError) as error:
        raise ModelError(f"{spec}: model: {base} is no causal language model ({error}); name one") from error
    refuse_not_causal(loaded, base)
    with atomic_path(model) as target:
        loaded.save_pretrained(target)
        AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(target)
        weights = {path.name: sha256_of(path) for path in sorted(target.glob("*.safetensors"))}
        write_json(target / "source.json", {"entity": entity.model_dump(mode="json"), "weights": weights})
    _log.info("%s: %d of %d layers, %d parameters", model, entity.layers, whole, loaded.num_parameters())
