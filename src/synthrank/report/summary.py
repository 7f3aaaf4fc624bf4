"""The experiment in words: what is compared, and what its tables say, in a few sentences at the top of its page."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.files import count_lines
from synthrank.places import TITLES
from synthrank.report.examples import JudgedSet
from synthrank.specs.base import load
from synthrank.specs.filters import RoundTripFilter
from synthrank.specs.paradigms import (
    GeneratedParadigm,
    GradedParadigm,
    HumanParadigm,
    ParadigmSpec,
    QueriedParadigm,
    rewords,
)
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.recipes import DistilRecipe, GradedRecipe, OrderRecipe, PairsRecipe, RecipeSpec
from synthrank.specs.testsets import TestsetSpec

DECIDED = ("supported", "contradicted", "equivalent")

OPEN = ("undecided", "insensitive")

SHOWN = 6
"""Decided rows that are written out; of more the table tells."""


def summary(experiment: Mapping[str, Any], specs: Sequence[Path], tested: Sequence[JudgedSet]) -> dict[str, Any]:
    """Return what is compared, with what, on what: rows of short texts.

    Args:
        experiment: as it is configured.
        specs: every file that it uses.
        tested: its test sets.
    """
    of_kind = {kind: {path.stem: path for path in specs if path.parent.name == kind} for kind in
               ("recipes", "paradigms", "rankers")}  # fmt: skip
    names = dict.fromkeys([*(name for name in experiment["recipes"] if "@" not in name), *of_kind["recipes"]])
    return {
        "recipes": [(name, _recipe(load(RecipeSpec, of_kind["recipes"][name]))) for name in names],
        "paradigms": [(name, _paradigm(load(ParadigmSpec, path))) for name, path in of_kind["paradigms"].items()],
        "rankers": [(name, load(RankerSpec, path).architecture) for name, path in of_kind["rankers"].items()],
        "testsets": [_testset(item) for item in tested],
        "compared": experiment["recipes"],
    }


def _recipe(spec: Any) -> str:
    if isinstance(spec, PairsRecipe):
        positives = " and ".join(
            f"{item.paradigm} passages for {item.queries:,} queries{_kept(item.filter)}" for item in spec.positives
        )
        negatives = spec.negatives
        return f"{positives} of {spec.corpus}, against {negatives.count} passages each that {negatives.retriever} found"
    if isinstance(spec, GradedRecipe):
        return f"{spec.paradigm} passages of several grades for {spec.queries:,} queries of {spec.corpus}"
    if isinstance(spec, DistilRecipe):
        return f"what {spec.retriever} finds for {spec.queries} of {spec.corpus}, as alike as {spec.teacher} finds it"
    if isinstance(spec, OrderRecipe):
        return f"candidates for {spec.queries} of {spec.corpus}, in the order of a language model ({spec.ranking})"
    return f"orders that others recorded for queries of {spec.corpus}"


def _kept(spec: Any) -> str:
    """Return by what passages are filtered, in words; nothing where they are not."""
    if spec is None:
        return ""
    if isinstance(spec, RoundTripFilter):
        return f" (those that {spec.retriever} finds again among the first {spec.depth})"
    share = f"the best {spec.keep_share:.0%}" if spec.keep_share else f"those that score {spec.min_score:g} or more"
    return f" ({share} by {spec.scores.split('/', 1)[-1]})"


def _paradigm(spec: Any) -> str:
    if isinstance(spec, HumanParadigm):
        return "passages of the corpus that people judged relevant; nothing is written"
    if isinstance(spec, GeneratedParadigm):
        shown = spec.exemplars
        pairs = f"queries with their passage as examples, drawn for it out of {shown.labels}" if shown else ""
        examples = {"passages": "passages of the corpus as examples, drawn for it", "pairs": pairs}
        what = f"for each query {shown.count} {examples[shown.kind]}" if shown else "no example"
        return f"written by a language model that is shown {what}"
    if isinstance(spec, GradedParadigm):
        return f"written by a language model at grades {', '.join(map(str, spec.levels))}, in one reply"
    if isinstance(spec, QueriedParadigm):
        return f"passages of the corpus, with the queries that {spec.augmentation} made from them"
    if rewords(spec):
        return f"passages of the corpus that people judged relevant, reworded by {spec.written_by}"
    return f"written elsewhere, by {spec.written_by}"


def _testset(item: JudgedSet) -> tuple[str, str, str, int]:
    spec: TestsetSpec = load(TestsetSpec, item.spec)
    return item.spec.stem, spec.corpus, spec.split, count_lines(item.queries)


def findings(tables: Mapping[str, Path]) -> list[str]:
    """Return sentences: what became of the claims, of what language models wrote, and of the search for leaks.

    Nothing is said of which ranker came first: the highest of many means is high by chance too.

    Args:
        tables: by their names; one that an experiment has not is left out.
    """
    said = {"claims": _claims, "replies": _replies, "leaks": _leaks}
    return [line for name, say in said.items() if name in tables for line in say(_rows(tables[name]))]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _claims(rows: Sequence[Mapping[str, str]]) -> list[str]:
    verdicts = Counter(row["verdict"] for row in rows)
    counts = ", ".join(f"{verdicts[name]} {name}" for name in (*DECIDED, *OPEN))
    decided = [row for row in rows if row["verdict"] in DECIDED]
    lines = [
        f"{row['verdict'].capitalize()} for {row['ranker']} trained on {row['treatment']}, "
        f"{TITLES[row['distribution']].lower()}: {row['statement']}. {row['why']}"
        for row in decided[:SHOWN]
    ]
    more = [f"{len(decided) - SHOWN} more rows are decided: see the table."] if len(decided) > SHOWN else []
    return [
        f"Of {len(rows)} rows of claims, each of one ranker and training set and tested as one family: {counts}.",
        *lines,
        *more,
    ]


def _replies(rows: Sequence[Mapping[str, str]]) -> list[str]:
    total = sum(int(row["replies"]) for row in rows)
    if not total:
        return []
    read = sum(int(row[name]) for row in rows for name in ("well-formed", "repaired"))
    return [f"Language models were asked for passages and replied {total:,} times; {read / total:.0%} could be read."]


def _leaks(rows: Sequence[Mapping[str, str]]) -> list[str]:
    sets = {(row["recipe"], row["llm"]) for row in rows}
    by_kind: dict[str, set[tuple[str, str]]] = {row["kind"]: set() for row in rows}
    for row in rows:
        if int(row["count"]):
            by_kind[row["kind"]].add((row["recipe"], row["llm"]))
    counts = ", ".join(f"{len(found)} by {kind}" for kind, found in by_kind.items())
    return [f"Of {len(sets)} training sets so many hold a text that a test set holds too: {counts}."] if rows else []
