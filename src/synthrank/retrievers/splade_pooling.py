"""SPLADE's max pooling without the logits of a whole batch in memory.

A SPLADE weight is the maximum over the tokens of log(1 + relu(logit)) (Formal et al. 2021, arXiv 2109.10086).
sentence-transformers keeps the logits of a whole batch, 9.8 MB per passage of 80 tokens, copies them to mask padding,
and computes the logarithm of each. Adding the bias, relu and log(1 + x) are increasing functions, so this module takes
the maximum first and applies them to one row per text. It computes logits in tiles of a few texts' tokens (without
padding) and a part of the vocabulary, which fit into the processor's cache. The weights equal the library's up to the
rounding of the matrix product.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from sentence_transformers import SparseEncoder
from sentence_transformers.sparse_encoder.modules import SpladePooling

TOKENS_AT_ONCE = 400
TERMS_AT_ONCE = 2048
"""A tile is 3.3 MB in float32. With tiles of all terms, a passage takes a third longer on a CPU."""


class MaxPooling(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """Pool hidden states to term weights, like SpladePooling with the maximum."""

    def __init__(self, decoder: torch.nn.Linear, logarithms: int) -> None:
        """Initialise from the model's last layer.

        Args:
            decoder: maps hidden states to logits, one per term of the vocabulary.
            logarithms: number of times that log(1 + x) is applied: 1, or 2 for the activation ``log1p_relu``.
        """
        super().__init__()
        self.decoder, self.logarithms = decoder, logarithms

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Pool ``token_embeddings``, shape (texts, tokens, dimensions), into ``sentence_embedding`` (texts, terms)."""
        states, real = features["token_embeddings"], features["attention_mask"].bool()
        terms = self.decoder.weight.shape[0]
        # On a GPU, the number of calls limits the speed, not the cache.
        parts = self.decoder.weight.split(TERMS_AT_ONCE if states.device.type == "cpu" else terms)
        groups = list(_groups(real.sum(dim=1).tolist(), TOKENS_AT_ONCE))
        rows = []
        for tokens, lengths in zip(states[real].split([sum(lengths) for lengths in groups]), groups, strict=True):
            tiles = (torch.nn.functional.linear(tokens, part) for part in parts)
            maxima = [torch.stack([of_text.amax(dim=0) for of_text in tile.split(lengths)]) for tile in tiles]
            rows.append(torch.cat(maxima, dim=1))
        pooled = torch.cat(rows)
        if self.decoder.bias is not None:
            pooled += self.decoder.bias
        pooled = pooled.relu_()
        for _ in range(self.logarithms):
            pooled = pooled.log1p_()
        features["sentence_embedding"] = pooled
        return features


def _groups(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Yield groups of successive lengths whose sum is at most ``most``; a longer length is a separate group."""
    group: list[int] = []
    for length in lengths:
        if group and sum(group) + length > most:
            yield group
            group = []
        group.append(length)
    yield group


class _Identity(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """Replaces the model's last layer, so that the model returns hidden states."""

    bias = None

    def forward(self, hidden: Any) -> Any:
        return hidden


def pool_early(model: SparseEncoder) -> bool:
    """Replace a model's SpladePooling in place, for inference only.

    Returns:
        Whether the pooling was replaced. Sum pooling, and a model that is not a transformer with a pooling, stay.
    """
    modules = list(model)
    if len(modules) != 2 or not isinstance(modules[1], SpladePooling) or modules[1].pooling_strategy != "max":
        return False
    transformer = model.transformers_model
    decoder = transformer.get_output_embeddings() if transformer is not None else None
    if not isinstance(decoder, torch.nn.Linear):
        return False
    transformer.set_output_embeddings(_Identity())
    model[1] = MaxPooling(decoder, 2 if modules[1].activation_function == "log1p_relu" else 1)
    return True
