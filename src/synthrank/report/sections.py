"""What stands on the page, in which order, and what each part is about."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: figures and tables that belong together."""

    key: str
    title: str
    lead: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


ABLATION = "ablation-"
"""How the names of some tables of the distillation study begin."""

SECTIONS = (
    Section(
        "effectiveness",
        "How well the rankers rank",
        "Every ranker was trained on every training set and measured on test queries that no training set holds: on "
        "those of the corpus it was trained on (in distribution) and on those of other corpora (out of distribution).",
        ("effectiveness", "differences"),
        ("id", "ood"),
    ),
    Section(
        "claims",
        "The claims, and whether they hold",
        "What the study claims was written down before anything ran, and is tested as one family. A claim counts only "
        "where training on human passages was seen to help by more than the margin.",
        ("claims",),
        ("claims",),
    ),
    Section(
        "enrichment",
        "What {added} passages add to human ones",
        "Human passages alone, with {added} ones, and with as many further human passages.",
        ("enrichment",),
        ("enrichment",),
    ),
    Section("sizes", "How much the number of training queries matters", "", ("sizes",), ("sizes",)),
    Section(
        "distillation",
        "Students of a language model's order",
        "Rankers that were trained to order candidates as a language model does, and what happens when one part of the "
        "method is changed at a time.",
        (),
        ("twolar",),
    ),
    Section(
        "bias",
        "Do rankers prefer the wording of a language model?",
        "Test sets in which passages stand in two wordings, a person's and a language model's.",
        (),
        ("bias",),
    ),
    Section(
        "cost",
        "What the language models' part cost",
        "Tokens and dollars of all replies, estimated before and counted after.",
        ("cost",),
        ("cost",),
    ),
    Section(
        "replies",
        "How the language models' replies could be read",
        "Every reply is kept as it came. One that is not what was asked for is counted here, never dropped silently.",
        (),
        ("replies", "rankings"),
    ),
    Section(
        "passages", "What the training passages are like", "", ("passages",), ("validity",)
    ),
    Section(
        "leaks",
        "What test sets hold of the training data",
        "A ranker that met a test passage in training is measured too well. Each training set was looked for in each "
        "test set.",
        (),
        ("leaks",),
    ),
)  # fmt: skip

LEADS = {
    "cost": "One row a way of writing and language model, all draws of it together. A reply that was already stored "
    "counts with what it once cost; machines and electricity are not in it.",
    "replies": "One row a way of writing and language model, all draws of it together: replies by what became of "
    "them. It says nothing of how good the passages are.",
    "rankings": "One row a set of candidates that a language model ordered: replies by what became of them. It says "
    "nothing of how good the orders are.",
}
"""What the tables show that have no Markdown twin to say it."""


def sections_for(added: str) -> list[Section]:
    """Return the sections as they are worded on the page of an experiment.

    Args:
        added: what passages that are not human are called there, as :func:`synthrank.specs.paradigms.word_for` says.
    """
    return [
        replace(item, title=item.title.format(added=added), lead=item.lead.format(added=added)) for item in SECTIONS
    ]


def tables_of(section: Section, names: Iterable[str]) -> list[str]:
    """Return the tables of a section that are there; ablations, which an experiment names, belong to distillation."""
    found = list(names)
    ablations = [name for name in found if name.startswith(ABLATION)] if section.key == "distillation" else []
    return [name for name in section.tables if name in found] + ablations
