"""Example queries: their generated passages, the rankings of each ranker, and rankings by language models."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.config.base import NONE, load
from synthrank.config.testsets import TestsetSpec
from synthrank.data.files import read_jsonl
from synthrank.data.passage_texts import find_texts
from synthrank.data.paths import CORPUS, PASSAGES, RANKING, RUN, TESTSET_RUN
from synthrank.data.records import Ask, Dropped, Order, Pool, Query, Reply, WrittenPassage
from synthrank.data.sampling import sample, shuffle
from synthrank.data.trec import read_qrels, read_run, relevant

WRITTEN = 20
"""Number of training queries per corpus."""

BEST = 3
"""Passages per query and source, best grade first."""

RANKED = 40
"""Number of test queries, divided evenly among the test sets, at least two per test set."""

TOP = 10
"""Passages per ranking."""

CHARACTERS = 500
"""Characters shown of a passage in a ranking."""

ORDERED = 20
"""Number of queries ranked by language models, divided evenly among rankings, at least two per ranking."""

ASKS = 12
"""Number of replies shown per query, the first ones."""

Example = dict[str, Any]
"""A query with its data, in the form that the page's script reads."""


def show_written(written: Sequence[Path], replies: Sequence[Path], dropped: Sequence[Path], seed: int) -> list[Example]:
    """Return a seeded sample of the training queries, each with its passages and replies.

    Args:
        written: results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, human passages included.
        replies: replies.jsonl next to each file of generated passages.
        dropped: dropped.jsonl next to each file of replies.
        seed: the seed of the sample.
    """
    examples: dict[tuple[str, str], Example] = {}
    for corpus in dict.fromkeys(_corpus(path) for path in written):
        files = [path for path in written if _corpus(path) == corpus]
        texts = {item.query_id: item.query for path in files for item in read_jsonl(path, WrittenPassage)}
        for name in shuffle(texts, seed)[:WRITTEN]:
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
            best = sorted(found[name], key=lambda item: -item.grade)[:BEST]
            texts = [{"text": item.text, "grade": item.grade} for item in best]
            example["passages"].append({"by": _by(path), "texts": texts})


def _add_replies(examples: dict[tuple[str, str], Example], path: Path, dropped: Path) -> None:
    reasons = {(item.query_id, item.sample): item.reason for item in read_jsonl(dropped, Dropped)}
    for item in read_jsonl(path, Reply):
        example = examples.get((_corpus(path), item.query_id))
        if example is not None:
            example["replies"].append(
                {
                    "by": _by(path) + (f", request {item.sample + 1}" if item.sample else ""),
                    "text": item.text,
                    "ended": item.finish_reason,
                    "dropped": reasons.get((item.query_id, item.sample), ""),
                    "asked": [{"role": message.role, "text": message.content} for message in item.messages],
                }
            )


def _corpus(path: Path) -> str:
    return PASSAGES.names(path.parent)["corpus"]


def _by(path: Path) -> str:
    names = PASSAGES.names(path.parent)
    return _made_by(names["paradigm"], names["llm"])


def _made_by(name: str, llm: str) -> str:
    return name if llm == NONE else f"{name} by {llm}"


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A test set: its entity file, queries and qrels."""

    spec: Path
    queries: Path
    qrels: Path


def show_ranked(
    tested: Sequence[JudgedSet],
    first_runs: Sequence[Path],
    runs: Sequence[Path],
    collections: Sequence[Path],
    seed: int,
) -> list[Example]:
    """Return a seeded sample of the test queries, each with the first passages of every ranking.

    Args:
        tested: the test sets.
        first_runs: results/runs/corpora/{corpus}/{retriever}/{split}.trec.
        runs: results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec.
        collections: results/corpora/{corpus}/passages.jsonl.
        seed: the seed of the sample.
    """
    examples = []
    listed = {path: RUN.names(path) for path in first_runs}
    for item in tested:
        spec: TestsetSpec = load(TestsetSpec, item.spec)
        own = {"collection": CORPUS(corpus=spec.corpus), "queryset": spec.split}
        orders = {names["retriever"]: path for path, names in listed.items() if own.items() <= names.items()}
        orders |= {_system(path): path for path in runs if TESTSET_RUN.names(path)["testset"] == item.spec.stem}
        share = max(2, RANKED // len(tested))
        examples += _show_testset(item, spec, orders, share, seed)
    _add_texts(examples, collections)
    return examples


def _show_testset(
    item: JudgedSet, spec: TestsetSpec, orders: Mapping[str, Path], share: int, seed: int
) -> list[Example]:
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
    """Add to each example the texts of its passages, cut to :data:`CHARACTERS`.

    Args:
        examples: each with ``corpus``, ``relevant`` and ``orders``.
        collections: results/corpora/{corpus}/passages.jsonl of each of these corpora.
    """
    for path in collections:
        mine = [example for example in examples if example["corpus"] == CORPUS.names(path.parent)["corpus"]]
        texts = find_texts(path, (name for example in mine for name in _name(example))) if mine else {}
        for example in mine:
            example["texts"] = {name: _cut(texts[name]) for name in _name(example) if name in texts}


def _name(example: Mapping[str, Any]) -> list[str]:
    return [*example["relevant"], *(name for order in example["orders"] for name in order["ids"])]


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS].rstrip()} …"


def _system(path: Path) -> str:
    names = TESTSET_RUN.names(path)
    if names["recipe"] == NONE:
        return f"{names['ranker']}, untrained"
    return f"{names['ranker']}, trained on {_made_by(names['recipe'], names['llm'])}"


def show_ordered(
    candidates: Sequence[Path], orders: Sequence[Path], asks: Sequence[Path], collections: Sequence[Path], seed: int
) -> list[Example]:
    """Return a seeded sample of the queries whose candidates a language model ranked.

    Args:
        candidates: results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl per file of ``orders``.
        orders: {ranking}/{llm}/orders.jsonl in the folder of each file of ``candidates``.
        asks: asks.jsonl next to each file of ``orders``.
        collections: results/corpora/{corpus}/passages.jsonl.
        seed: the seed of the sample.
    """
    examples = []
    for pool_file, order_file, ask_file in zip(candidates, orders, asks, strict=True):
        share = max(2, ORDERED // len(orders))
        chosen = sample(read_jsonl(order_file, Order), share, seed, lambda order: order.query_id)
        pools = {item.query_id: item for item in read_jsonl(pool_file, Pool)}
        asks_of: dict[str, list[Ask]] = {order.query_id: [] for order in chosen}
        for ask in read_jsonl(ask_file, Ask):
            if ask.query_id in asks_of:
                asks_of[ask.query_id].append(ask)
        examples += [_show_order(order_file, order, pools[order.query_id], asks_of[order.query_id]) for order in chosen]
    _add_texts(examples, collections)
    return examples


def _show_order(path: Path, order: Order, pool: Pool, asks: Sequence[Ask]) -> Example:
    names = RANKING.names(path.parent)
    retrievers = list(dict.fromkeys(name for item in pool.candidates for name in item.ranks))
    found = {name: sorted((item.ranks[name], item.id) for item in pool.candidates if name in item.ranks)
             for name in retrievers}  # fmt: skip
    return {
        "id": order.query_id,
        "group": "{queryset} of {corpus}, {pool}, {ranking} by {llm}".format_map(names),
        "corpus": names["corpus"],
        "query": order.query,
        "relevant": [],
        "orders": [
            {"by": "{llm} ({ranking})".format_map(names), "ids": list(order.ids[:TOP])},
            *({"by": name, "ids": [item for _, item in ranks[:TOP]]} for name, ranks in found.items()),
        ],
        "asks": [{"text": ask.text, "status": ask.status, "notes": list(ask.notes)} for ask in asks[:ASKS]],
        "all_asks": len(asks),
    }
