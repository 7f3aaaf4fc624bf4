"""Training queries to look at: the human passage, what each language model wrote, and its replies as they came."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthrank.files import read_jsonl
from synthrank.order import seeded
from synthrank.records import Dropped, Reply, WrittenPassage

QUERIES = 20
"""Training queries of each corpus that one can choose from."""

PASSAGES = 3
"""Passages a query of each kind, the best grade first."""


def written_examples(
    written: Sequence[Path], replies: Sequence[Path], dropped: Sequence[Path], seed: int
) -> list[dict[str, Any]]:
    """Return a seeded sample of the training queries, each with its passages and replies.

    Args:
        written: results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, of people too.
        replies: replies.jsonl of those that language models wrote.
        dropped: for each of them dropped.jsonl.
        seed: of the sample.
    """
    examples: dict[tuple[str, str], dict[str, Any]] = {}
    for corpus in dict.fromkeys(_corpus(path) for path in written):
        files = [path for path in written if _corpus(path) == corpus]
        texts = {item.query_id: item.query for path in files for item in read_jsonl(path, WrittenPassage)}
        for name in seeded(texts, seed)[:QUERIES]:
            examples[corpus, name] = {"id": name, "group": corpus, "query": texts[name], "passages": [], "replies": []}
    for path in written:
        _add_passages(examples, path)
    for reply_file, dropped_file in zip(replies, dropped, strict=True):
        _add_replies(examples, reply_file, dropped_file)
    return list(examples.values())


def _add_passages(examples: dict[tuple[str, str], dict[str, Any]], path: Path) -> None:
    found: dict[str, list[WrittenPassage]] = defaultdict(list)
    for item in read_jsonl(path, WrittenPassage):
        if (_corpus(path), item.query_id) in examples:
            found[item.query_id].append(item)
    for (corpus, name), example in examples.items():
        if corpus == _corpus(path):
            best = sorted(found[name], key=lambda item: -item.grade)[:PASSAGES]
            texts = [{"text": item.text, "grade": item.grade} for item in best]
            example["passages"].append({"by": _by(path), "texts": texts})


def _add_replies(examples: dict[tuple[str, str], dict[str, Any]], path: Path, dropped: Path) -> None:
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
    return paradigm if llm == "none" else f"{paradigm} by {llm}"
