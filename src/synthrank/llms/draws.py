"""Further samples of a language model for prompts that were asked before."""

from synthrank.order import drawn
from synthrank.specs.llms import LlmSpec


def of_draw(spec: LlmSpec, draw: int) -> LlmSpec:
    """Return the entity with the seed of a draw of its samples; the entity itself for draw 0.

    The seed is part of what the store knows a reply by: each draw is asked, and paid for, once.
    """
    sampling = spec.sampling.model_copy(update={"seed": drawn(spec.sampling.seed, draw)})
    return spec.model_copy(update={"sampling": sampling})
