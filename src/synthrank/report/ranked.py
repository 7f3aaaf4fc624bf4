"""Test queries to look at: what each ranker puts first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.files import read_jsonl
from synthrank.order import sample
from synthrank.records import Query
from synthrank.specs.base import NONE, load
from synthrank.specs.testsets import TestsetSpec
from synthrank.texts import known_texts
from synthrank.trec import read_qrels, read_run, relevant

QUERIES = 40
"""Test queries that one can choose from, shared out evenly among the test sets, two of each at least."""

TOP = 10
"""Passages of each order."""

CHARACTERS = 500
"""Of a passage's text are shown."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A test set: its entity file, queries and judgments."""

    spec: Path
    queries: Path
    qrels: Path


def ranked_examples(
    tested: Sequence[JudgedSet],
    first_runs: Sequence[Path],
    runs: Sequence[Path],
    collections: Sequence[Path],
    seed: int,
) -> list[dict[str, Any]]:
    """Return a seeded sample of the test queries, each with the first passages of every order.

    Args:
        tested: the test sets.
        first_runs: results/runs/corpora/{corpus}/{retriever}/{split}.trec.
        runs: results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}, folders of runs named for test sets.
        collections: results/corpora/{corpus}/passages.jsonl.
        seed: of the sample.
    """
    examples = []
    for item in tested:
        spec: TestsetSpec = load(TestsetSpec, item.spec)
        orders = {
            path.parts[-2]: path for path in first_runs if path.parts[-3::2] == (spec.corpus, f"{spec.split}.trec")
        }
        orders |= {_system(path): path / f"{item.spec.stem}.trec" for path in runs}
        share = max(2, QUERIES // len(tested))
        examples += _of_testset(
            item, spec, {name: path for name, path in orders.items() if path.is_file()}, share, seed
        )
    add_texts(examples, collections)
    return examples


def _of_testset(
    item: JudgedSet, spec: TestsetSpec, orders: Mapping[str, Path], share: int, seed: int
) -> list[dict[str, Any]]:
    answers = relevant(read_qrels(item.qrels), spec.relevance_level)
    judged = (query for query in read_jsonl(item.queries, Query) if query.id in answers)
    queries = sample(judged, share, seed, lambda query: query.id)
    examples: list[dict[str, Any]] = [
        {
            "id": query.id,
            "group": item.spec.stem,
            "corpus": spec.corpus,
            "query": query.text,
            "relevant": sorted(answers[query.id]),
            "orders": [],
        }
        for query in queries
    ]
    for name, path in orders.items():
        run = read_run(path, TOP)
        for example in examples:
            listed = [passage for passage, _ in run.get(example["id"], [])]
            example["orders"].append({"by": name, "ids": listed})
    return examples


def add_texts(examples: Sequence[dict[str, Any]], collections: Sequence[Path]) -> None:
    """Give each example the texts of all passages that it names, cut to :data:`CHARACTERS`.

    Args:
        examples: each with ``corpus``, ``relevant`` and ``orders``.
        collections: results/corpora/{corpus}/passages.jsonl of each of these corpora.
    """
    for path in collections:
        mine = [example for example in examples if example["corpus"] == path.parts[-2]]
        texts = known_texts(path, (name for example in mine for name in _named(example))) if mine else {}
        for example in mine:
            example["texts"] = {name: _cut(texts[name]) for name in _named(example) if name in texts}


def _named(example: Mapping[str, Any]) -> list[str]:
    return [*example["relevant"], *(name for order in example["orders"] for name in order["ids"])]


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS].rstrip()} …"


def _system(path: Path) -> str:
    recipe, llm, ranker = path.parts[-4:-1]
    if recipe == NONE:
        return f"{ranker}, not trained"
    return f"{ranker}, trained on {recipe}" + ("" if llm == NONE else f" by {llm}")
