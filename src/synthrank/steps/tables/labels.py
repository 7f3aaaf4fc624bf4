"""Names of systems in the Markdown copies of tables, where the CSV has keys such as ``none`` and ``+first-stage``."""

from collections.abc import Iterable, Sequence

from synthrank.config.base import NONE
from synthrank.stats.score_matrix import FUSED, System

AVERAGE, FIRST_STAGE, UNTRAINED = "macro average", "first stage", "untrained"


def label_ranker(ranker: str) -> str:
    """Return the name of a ranker or first stage, with ``(fused)`` after a ranker fused with its first stage."""
    return f"{ranker.removesuffix(FUSED)} (fused)" if ranker.endswith(FUSED) else ranker


def label_trainset(recipe: str, llm: str) -> str:
    """Return the name of a training set: its recipe and, if a language model was used, the model."""
    return recipe if llm == NONE else f"{recipe} by {llm}"


def trained_rankers(systems: Iterable[System]) -> list[str]:
    """Return the rankers that were trained on some recipe, in their order; every other system is a first stage."""
    return list(dict.fromkeys(ranker for ranker, recipe, _ in systems if recipe != NONE))


def label_training(system: System, trained: Sequence[str]) -> str:
    """Return the training set of a system, or that it is untrained or a first stage.

    Args:
        system: the ranker, recipe and LLM.
        trained: the result of :func:`trained_rankers` for the systems of the table.
    """
    ranker, recipe, llm = system
    if recipe != NONE:
        return label_trainset(recipe, llm)
    return UNTRAINED if ranker in trained else FIRST_STAGE
