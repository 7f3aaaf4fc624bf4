"""The sections of the page with their titles and introductions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class PageSection:
    """A section of the page with its figures and tables."""

    key: str
    title: str
    lead: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


ABLATION = "ablation-"
"""The prefix of the names of ablation tables."""

SECTIONS = (
    PageSection(
        "effectiveness",
        "Ranking quality",
        "Every ranker was trained on every training set and evaluated on test queries that are in no training set. "
        "In distribution: queries of the corpus of the training set. Out of distribution: queries of other corpora.",
        ("effectiveness", "differences"),
        ("id", "ood"),
    ),
    PageSection(
        "claims",
        "Claims",
        "The claims were declared before anything ran and are tested as one family. A claim is decided only if "
        "training on human passages improves the ranker by more than the margin.",
        ("claims",),
        ("claims",),
    ),
    PageSection(
        "enrichment",
        "Effect of adding {added} passages",
        "Three training sets: human passages, human and {added} passages, and human and more human passages.",
        ("enrichment",),
        ("enrichment",),
    ),
    PageSection("sizes", "Effect of the number of training queries", "", ("sizes",), ("sizes",)),
    PageSection(
        "distillation",
        "Distillation of language models' rankings",
        "Rankers trained to reproduce the rankings of a language model, with ablations of one component at a time.",
        (),
        ("twolar",),
    ),
    PageSection(
        "bias",
        "Wording bias",
        "Test sets that contain each passage twice, as people wrote it and as a language model rewrote it.",
        (),
        ("bias",),
    ),
    PageSection(
        "cost",
        "LLM cost",
        "Tokens and dollars of all replies, estimated and actual.",
        ("cost",),
        ("cost",),
    ),
    PageSection(
        "replies",
        "Reply parsing",
        "All raw replies are kept. Replies that do not match the requested format are counted here.",
        (),
        ("replies", "rankings"),
    ),
    PageSection(
        "passages", "Training passages", "", ("passages",), ("validity",)
    ),
    PageSection(
        "leaks",
        "Train/test overlap",
        "A ranker that saw a test passage in training scores too high. Each training set was compared with each test "
        "set.",
        (),
        ("leaks",),
    ),
)  # fmt: skip

LEADS = {
    "cost": "One row per paradigm and LLM, all draws together. Reused replies count at their original cost. Machines "
    "and electricity are not included.",
    "replies": "One row per paradigm and LLM, all draws together: the number of replies by status. The status does not "
    "measure the quality of the passages or queries.",
    "rankings": "One row per set of candidates that a language model ranked: the number of replies by status. The "
    "status does not measure the quality of the rankings.",
}
"""Explanations for the tables that have no Markdown copy."""


def sections_for(added: str) -> list[PageSection]:
    """Return the sections with the wording for an experiment.

    Args:
        added: the adjective for passages that are not human, from :func:`synthrank.config.paradigms.word_for`.
    """
    return [
        replace(item, title=item.title.format(added=added), lead=item.lead.format(added=added)) for item in SECTIONS
    ]


def tables_of(section: PageSection, names: Iterable[str]) -> list[str]:
    """Return the existing tables of a section; ablation tables belong to the section on distillation."""
    found = list(names)
    ablations = [name for name in found if name.startswith(ABLATION)] if section.key == "distillation" else []
    return [name for name in section.tables if name in found] + ablations
