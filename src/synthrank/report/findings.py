"""What the tables of an experiment say, in a few sentences that stand at the top of its page."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

DECIDED = ("supported", "contradicted", "equivalent")

OPEN = ("undecided", "insensitive")

WHERE = {"id": "in distribution", "ood": "out of distribution"}

SHOWN = 6
"""Decided rows that are written out; of more the table tells."""


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
        f"{WHERE[row['distribution']]}: {row['statement']}. {row['why']}"
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
