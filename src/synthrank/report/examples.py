"""Single queries to look at: what was written for them, what each ranker puts first, how a language model ordered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.files import read_jsonl
from synthrank.order import sample, seeded
from synthrank.records import Ask, Dropped, Order, Pool, Query, Reply, WrittenPassage
from synthrank.specs.base import NONE, load
from synthrank.specs.testsets import TestsetSpec
from synthrank.texts import known_texts
from synthrank.trec import read_qrels, read_run, relevant

WRITTEN = 20
"""Training queries of each corpus that one can choose from."""

PASSAGES = 3
"""Passages a query of each kind, the best grade first."""

RANKED = 40
"""Test queries that one can choose from, shared out evenly among the test sets, two of each at least."""

TOP = 10
"""Passages of each order."""

CHARACTERS = 500
"""Of a passage's text are shown."""

ORDERED = 20
"""Ordered queries that one can choose from, shared out evenly among all that was ordered, two of each at least."""

ASKS = 12
"""Of what a model said for one query are shown, the first."""

Example = dict[str, Any]
"""A query with all that the page shows of it, as the page's script reads it."""


def written_examples(
    written: Sequence[Path], replies: Sequence[Path], dropped: Sequence[Path], seed: int
) -> list[Example]:
    """Return a seeded sample of the training queries, each with its passages and replies.

    Args:
        written: results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, of people too.
        replies: replies.jsonl of those that language models wrote.
        dropped: for each of them dropped.jsonl.
        seed: of the sample.
    """
    examples: dict[tuple[str, str], Example] = {}
    for corpus in dict.fromkeys(_corpus(path) for path in written):
        files = [path for path in written if _corpus(path) == corpus]
        texts = {item.query_id: item.query for path in files for item in read_jsonl(path, WrittenPassage)}
        for name in seeded(texts, seed)[:WRITTEN]:
            examples[corpus, name] = {"id": name, "group": corpus, "query": texts[name], "passages": [], "replies": []}
    for path in written:
        _add_passages(examples, path)
    for reply_file, dropped_file in zip(replies, dropped, strict=True):
        _add_replies(examples, reply_file, dropped_file)
    return list(examples.values())


def _add_passages(examples: dict[tuple[str, str], Example], path: Path) -> None:
    found: dict[str, list[WrittenPassage]] = defaultdict(list)
    for item in read_jsonl(path, WrittenPassage):
        if (_corpus(path), item.query_id) in examples:
            found[item.query_id].append(item)
    for (corpus, name), example in examples.items():
        if corpus == _corpus(path):
            best = sorted(found[name], key=lambda item: -item.grade)[:PASSAGES]
            texts = [{"text": item.text, "grade": item.grade} for item in best]
            example["passages"].append({"by": _by(path), "texts": texts})


def _add_replies(examples: dict[tuple[str, str], Example], path: Path, dropped: Path) -> None:
    reasons = {(item.query_id, item.sample): item.reason for item in read_jsonl(dropped, Dropped)}
    for item in read_jsonl(path, Reply):
        example = examples.get((_corpus(path), item.query_id))
        if example is not None:
            example["replies"].append(
                {
                    "by": _by(path) + (f", asked again ({item.sample + 1})" if item.sample else ""),
                    "text": item.text,
                    "ended": item.finish_reason,
                    "dropped": reasons.get((item.query_id, item.sample), ""),
                    "asked": [{"role": message.role, "text": message.content} for message in item.messages],
                }
            )


def _corpus(path: Path) -> str:
    return path.parts[-5]


def _by(path: Path) -> str:
    paradigm, _, llm = path.parts[-4:-1]
    return _made_by(paradigm, llm)


def _made_by(name: str, llm: str) -> str:
    return name if llm == NONE else f"{name} by {llm}"


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A test set: its entity file, queries and qrels."""

    spec: Path
    queries: Path
    qrels: Path


def ranked_examples(
    tested: Sequence[JudgedSet],
    first_runs: Sequence[Path],
    runs: Sequence[Path],
    collections: Sequence[Path],
    seed: int,
) -> list[Example]:
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
        share = max(2, RANKED // len(tested))
        examples += _of_testset(
            item, spec, {name: path for name, path in orders.items() if path.is_file()}, share, seed
        )
    _add_texts(examples, collections)
    return examples


def _of_testset(item: JudgedSet, spec: TestsetSpec, orders: Mapping[str, Path], share: int, seed: int) -> list[Example]:
    answers = relevant(read_qrels(item.qrels), spec.relevance_level)
    judged = (query for query in read_jsonl(item.queries, Query) if query.id in answers)
    queries = sample(judged, share, seed, lambda query: query.id)
    examples: list[Example] = [
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


def _add_texts(examples: Sequence[Example], collections: Sequence[Path]) -> None:
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
    return f"{ranker}, trained on {_made_by(recipe, llm)}"


def ordered_examples(
    candidates: Sequence[Path], orders: Sequence[Path], asks: Sequence[Path], collections: Sequence[Path], seed: int
) -> list[Example]:
    """Return a seeded sample of the queries whose candidates a language model ordered.

    Args:
        candidates: results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl of each of ``orders``.
        orders: {ranking}/{llm}/orders.jsonl beside it.
        asks: asks.jsonl beside that.
        collections: results/corpora/{corpus}/passages.jsonl.
        seed: of the sample.
    """
    examples = []
    for pool_file, order_file, ask_file in zip(candidates, orders, asks, strict=True):
        share = max(2, ORDERED // len(orders))
        chosen = sample(read_jsonl(order_file, Order), share, seed, lambda order: order.query_id)
        pools = {item.query_id: item for item in read_jsonl(pool_file, Pool)}
        said: dict[str, list[Ask]] = {order.query_id: [] for order in chosen}
        for ask in read_jsonl(ask_file, Ask):
            if ask.query_id in said:
                said[ask.query_id].append(ask)
        examples += [_ordered(order_file, order, pools[order.query_id], said[order.query_id]) for order in chosen]
    _add_texts(examples, collections)
    return examples


def _ordered(path: Path, order: Order, pool: Pool, asks: Sequence[Ask]) -> Example:
    corpus, queryset, candidates, ranking, llm = path.parts[-6:-1]
    retrievers = list(dict.fromkeys(name for item in pool.candidates for name in item.ranks))
    found = {name: sorted((item.ranks[name], item.id) for item in pool.candidates if name in item.ranks)
             for name in retrievers}  # fmt: skip
    return {
        "id": order.query_id,
        "group": f"{queryset} of {corpus}, {candidates}, {ranking} by {llm}",
        "corpus": corpus,
        "query": order.query,
        "relevant": [],
        "orders": [
            {"by": f"{llm} ({ranking})", "ids": list(order.ids[:TOP])},
            *({"by": name, "ids": [item for _, item in ranks[:TOP]]} for name, ranks in found.items()),
        ],
        "asks": [{"text": ask.text, "status": ask.status, "notes": list(ask.notes)} for ask in asks[:ASKS]],
        "all_asks": len(asks),
    }
