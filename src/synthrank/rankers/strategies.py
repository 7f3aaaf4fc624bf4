"""How the outputs of a model become one score a pair, each a function of shape (pairs, outputs) to (pairs,)."""

from collections.abc import Callable

from torch import Tensor

Strategy = Callable[[Tensor], Tensor]


def difference(outputs: Tensor) -> Tensor:
    """Return relevant minus not relevant, given in that order (TWOLAR: logits of the tokens true and false)."""
    return outputs[:, 0] - outputs[:, 1]


def softmax(outputs: Tensor) -> Tensor:
    """Return the part of relevant in the softmax over relevant and not, given in that order (monoT5, monoBERT)."""
    return outputs.softmax(dim=1)[:, 0]


def only(outputs: Tensor) -> Tensor:
    """Return the one output (RankT5: the logit of an otherwise unused token)."""
    return outputs[:, 0]


STRATEGIES: dict[str, Strategy] = {"difference": difference, "softmax": softmax, "extra-id": only}
"""By the names of the entity files."""
