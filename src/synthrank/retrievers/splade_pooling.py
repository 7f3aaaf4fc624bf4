"""SPLADE's max pooling without a batch's logits in memory.

A SPLADE weight is the maximum over the tokens of log(1 + relu(logit)) (Formal et al. 2021, arXiv 2109.10086).
sentence-transformers keeps the logits of a whole batch, 9.8 MB for each passage of 80 tokens, copies them to mask the
padding, and takes the logarithm of every one. Here the maximum comes first: adding the bias, relu and log(1 + x) never
fall, so they commute with it, and run on one row a text. Logits are made a tile at a time, of a few texts' tokens,
padding left out, and a part of the vocabulary, and reduced while the processor's cache holds them. The weights are the
library's up to the rounding of its matrix product.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from sentence_transformers import SparseEncoder
from sentence_transformers.sparse_encoder.modules import SpladePooling

TOKENS_AT_ONCE = 400
TERMS_AT_ONCE = 2048
"""A tile is 3.3 MB in float32. Of whole rows, all terms, a passage takes a third longer on a CPU."""


class MaxPooling(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """Hidden states in, pooled weights out, as SpladePooling gives them for the maximum."""

    def __init__(self, decoder: torch.nn.Linear, logarithms: int) -> None:
        """Take the model's last layer.

        Args:
            decoder: maps hidden states to logits, one a term of the vocabulary.
            logarithms: how many times log(1 + x) is applied: 1, or 2 for the activation ``log1p_relu``.
        """
        super().__init__()
        self.decoder, self.logarithms = decoder, logarithms

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Pool ``token_embeddings``, shape (texts, tokens, dimensions), into ``sentence_embedding`` (texts, terms)."""
        states, real = features["token_embeddings"], features["attention_mask"].bool()
        terms = self.decoder.weight.shape[0]
        # A GPU's cache is not what bounds it, but the number of calls is.
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
    """Yield successive lengths that together are at most ``most``, or one that is longer."""
    group: list[int] = []
    for length in lengths:
        if group and sum(group) + length > most:
            yield group
            group = []
        group.append(length)
    yield group


class _Nothing(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """Stands where the vocabulary's matrix was: the model ends with the hidden states that go into it."""

    bias = None

    def forward(self, hidden: Any) -> Any:
        return hidden


def pool_early(model: SparseEncoder) -> bool:
    """Replace a model's SpladePooling, in place and for inference only, where it takes the maximum.

    Returns:
        Whether it was replaced: not where the sum is pooled, nor where the model is not a transformer and a pooling.
    """
    modules = list(model)
    if len(modules) != 2 or not isinstance(modules[1], SpladePooling) or modules[1].pooling_strategy != "max":
        return False
    transformer = model.transformers_model
    decoder = transformer.get_output_embeddings() if transformer is not None else None
    if not isinstance(decoder, torch.nn.Linear):
        return False
    transformer.set_output_embeddings(_Nothing())
    model[1] = MaxPooling(decoder, 2 if modules[1].activation_function == "log1p_relu" else 1)
    return True
