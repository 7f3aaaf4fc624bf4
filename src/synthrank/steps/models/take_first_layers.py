"""Step take_first_layers: make a smaller model from the first layers of a model."""

import logging
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.models import FirstLayersModel, ModelSpec
from synthrank.data.files import atomic_path, sha256_of, write_json
from synthrank.errors import ModelError

_log = logging.getLogger(__name__)


def take_first_layers(*, spec: Path, base: Path, model: Path) -> None:
    """Write a causal language model with the embeddings, first layers, last norm and head of another model.

    Args:
        spec: the model's file of config/models.
        base: the folder of the model with the layers.
        model: the folder to create: config.json, tokenizer, safetensors and ``source.json``.

    Raises:
        ModelError: the base is not a causal language model, or has fewer layers.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from synthrank.runtime.model_checks import own_weights, refuse_not_causal

    entity: FirstLayersModel = load(ModelSpec, spec)
    try:
        config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
        whole = config.num_hidden_layers
        if whole < entity.layers:
            raise ModelError(f"{spec}: layers: got {entity.layers}; expected at most {whole}, the layers of {base}")
        config.num_hidden_layers = entity.layers
        if getattr(config, "layer_types", None):  # one kind of attention per layer, as in Qwen and Gemma
            config.layer_types = config.layer_types[: entity.layers]
        with own_weights(base):
            loaded = AutoModelForCausalLM.from_pretrained(
                base, config=config, local_files_only=True, trust_remote_code=False, dtype="auto"
            )
    except (AttributeError, OSError, ValueError) as error:
        raise ModelError(
            f"{spec}: model: {base} is not a causal language model ({error}); name a causal language model"
        ) from error
    refuse_not_causal(loaded, base)
    with atomic_path(model) as target:
        loaded.save_pretrained(target)
        AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(target)
        weights = {path.name: sha256_of(path) for path in sorted(target.glob("*.safetensors"))}
        write_json(target / "source.json", {"entity": entity.model_dump(mode="json"), "weights": weights})
    _log.info("%s: %d of %d layers, %d parameters", model, entity.layers, whole, loaded.num_parameters())
