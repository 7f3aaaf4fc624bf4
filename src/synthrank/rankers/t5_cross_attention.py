"""A T5 decoder's cross-attention for a single position, without keys and values per token.

There is only one query, q . (K h) = (K'q) . h, and one sum of values, sum of a V h = V (sum of a h). K and V are
therefore multiplied once per prompt instead of once per token. This saves a seventh of the work of scoring with a T5 of
any size, and memory for the gradient. The sums have another order, so scores agree up to rounding.
"""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

FAMILIES = ("t5", "mt5")
"""Model families with this attention; other families keep their own code."""


def attend_in_one_step(model: PreTrainedModel) -> None:
    """Replace the cross-attention of a model's decoder by :func:`attend`; it can then decode only one position."""
    if model.config.model_type in FAMILIES:
        for name, module in model.named_modules():
            if name.endswith("EncDecAttention"):
                module.forward = MethodType(attend, module)


def attend(
    attention: Any, hidden_states: Tensor, mask: Tensor | None = None, *, key_value_states: Tensor, **_: Any
) -> tuple[Tensor, None, None]:
    """Compute the forward pass of a T5Attention between decoder and encoder, for one position of the decoder.

    Args:
        attention: the module, with ``heads`` x ``width`` inner dimensions.
        hidden_states: states of the decoder, shape (prompts, 1, dimensions).
        mask: shape (prompts, 1, 1, tokens): true at tokens and false at padding, or numbers to add to the scores.
        key_value_states: states of the encoder, shape (prompts, tokens, dimensions).

    Returns:
        Hidden states of shape (prompts, 1, dimensions), and ``None`` for position bias and attention weights;
        cross-attention has no position bias.
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
