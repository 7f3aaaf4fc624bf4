"""A T5 decoder's attention to its encoder, for one position: no keys and values of every token.

Keys are asked for by one query, q . (K h) = (K'q) . h, and values are wanted in one sum, sum of a V h = V (sum of a h).
So K and V are multiplied once a prompt instead of once a token, which is a seventh of the work of scoring with a T5 of
any size, and their results need not be kept for the gradient. The same sums in another order: scores agree to rounding.
"""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

FAMILIES = ("t5", "mt5")
"""Families whose code this follows; others keep their own."""


def attend_in_one_step(model: PreTrainedModel) -> None:
    """Make a model's decoder attend to the encoder by :func:`attend`; it can then decode one position only."""
    if model.config.model_type in FAMILIES:
        for name, module in model.named_modules():
            if name.endswith("EncDecAttention"):
                module.forward = MethodType(attend, module)


def attend(
    attention: Any, hidden_states: Tensor, mask: Tensor | None = None, *, key_value_states: Tensor, **_: Any
) -> tuple[Tensor, None, None]:
    """Do what the forward pass of T5Attention does across encoder and decoder, for one position of the decoder.

    Args:
        attention: the module, of ``heads`` x ``width`` inner dimensions.
        hidden_states: of the decoder, shape (prompts, 1, dimensions).
        mask: which tokens exist, shape (prompts, 1, 1, tokens): true for those, or added to the scores.
        key_value_states: of the encoder, shape (prompts, tokens, dimensions).

    Returns:
        Shape (prompts, 1, dimensions); no position bias, which there is none of across the two, and no weights.
    """
    heads, width = attention.n_heads, attention.key_value_proj_dim
    keys, values = (part.weight.view(heads, width, -1) for part in (attention.k, attention.v))
    query = attention.q(hidden_states).view(-1, heads, width) * attention.scaling
    scores = torch.einsum("phw,hwd->phd", query, keys) @ key_value_states.transpose(1, 2)
    if mask is not None:
        mask = mask[:, 0]
        low = torch.finfo(scores.dtype).min
        scores = scores.masked_fill(~mask, low) if mask.dtype == torch.bool else scores + mask
    weights = nn.functional.dropout(scores.softmax(dim=-1), p=attention.dropout, training=attention.training)
    mixed = torch.einsum("phd,hwd->phw", weights.to(key_value_states.dtype) @ key_value_states, values)
    return attention.o(mixed.reshape(-1, 1, heads * width)), None, None
