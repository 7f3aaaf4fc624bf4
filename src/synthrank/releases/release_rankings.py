"""Step release_rankings: a language model's orders in the form in which such sets are published."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.errors import BudgetError
from synthrank.files import atomic_path, read_jsonl, write_jsonl
from synthrank.records import Order
from synthrank.releases.cards import Part, figures, llm_parts, part, write_card, write_checksums
from synthrank.specs.augmentations import AugmentationSpec
from synthrank.specs.corpora import CorpusSpec
from synthrank.specs.pools import PoolSpec
from synthrank.specs.rankings import RankingSpec
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.texts import known_texts, texts_of
from synthrank.trec import read_qrels


@dataclass(frozen=True, slots=True)
class Text:
    """A passage, as published sets have it."""

    docid: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A query and its passages, as published sets have it (github.com/Dundalia/TWOLAR, utils.RerankData)."""

    query: str
    positive_passages: tuple[Text, ...]
    retrieved_passages: tuple[Text, ...]
    query_id: str


def release_rankings(
    *,
    queryset: str,
    orders: Path,
    counts: Path,
    corpus: Path,
    passages: Path,
    qrels: list[Path],
    augmentation: list[Path],
    pool: Path,
    sources: list[Path],
    ranking: Path,
    prompt: Path,
    llm: Path,
    weights: list[Path],
    template: Path,
    release: Path,
) -> None:
    """Write a folder that can be published: the orders with all texts, a card that says how they came about, checksums.

    Args:
        queryset: the name of the queries.
        orders: the orders of the language model; those without a passage are left out and counted.
        counts: what was counted while it ordered.
        corpus: the corpus's entity file.
        passages: the passages of the corpus.
        qrels: the qrels of the queries, where they are a split's.
        augmentation: the entity file of the queries, where they are an augmentation's.
        pool: the pool's entity file.
        sources: the entity files of the pool's first stages.
        ranking: the ranking's entity file.
        prompt: its prompt file.
        llm: the LLM's entity file.
        weights: the entity file of its model, where it runs in-process.
        template: that of the card.
        release: written: the folder.

    Raises:
        BudgetError: no order has a passage.
        DataError: an ordered passage is not in the corpus.
    """
    listed = list(read_jsonl(orders, Order))
    kept = [order for order in listed if order.ids]
    if not kept:
        raise BudgetError(f"{orders}: no order has a passage; there is nothing to release")
    judged = _judged(qrels)
    records = list(_records(kept, judged, passages))
    with atomic_path(release) as folder:
        folder.mkdir()
        write_jsonl(folder / "train.jsonl", records)
        write_card(
            folder,
            template,
            corpus=corpus.stem,
            queryset=queryset,
            augmentation=bool(augmentation),
            judged=bool(qrels),
            llm=llm.stem,
            sources=[source.stem for source in sources],
            parts=dict(_parts(corpus, augmentation, sources, pool, ranking, llm, weights)),
            prompt=prompt.stem,
            prompt_text=prompt.read_text(encoding="utf-8").strip(),
            **_counted(counts, records, {"orders_without_a_passage": len(listed) - len(kept)}),
        )
        write_checksums(folder)


def _parts(
    corpus: Path,
    augmentation: Sequence[Path],
    sources: Sequence[Path],
    pool: Path,
    ranking: Path,
    llm: Path,
    weights: Sequence[Path],
) -> Iterator[Part]:
    """Yield what the card calls each ingredient, and all that its entity file says or leaves at the default."""
    yield part("The corpus", CorpusSpec, corpus)
    yield from (part("The queries", AugmentationSpec, path) for path in augmentation)
    yield from (part("The first stage", RetrieverSpec, path) for path in sources)
    yield part("The pool of candidates", PoolSpec, pool)
    yield part("How they were ordered,", RankingSpec, ranking)
    yield from llm_parts([llm], weights)


def _judged(qrels: Iterable[Path]) -> dict[str, list[str]]:
    """Return, per query, the passages judged relevant, best grade first."""
    return {
        query: sorted((name for name, grade in grades.items() if grade > 0), key=lambda name: -grades[name])
        for path in qrels
        for query, grades in read_qrels(path).items()
    }


def _records(orders: Sequence[Order], judged: Mapping[str, Sequence[str]], passages: Path) -> Iterator[Record]:
    positives = {name for order in orders for name in judged.get(order.query_id, ())}
    text_of = {
        **known_texts(passages, positives),
        **texts_of(passages, {name for order in orders if not order.texts for name in order.ids}),
    }
    for order in orders:
        # A judged passage may be absent from a pooled collection, and then has no text that could be published.
        relevant = [name for name in judged.get(order.query_id, ()) if name in text_of]
        texts = order.texts or [text_of[name] for name in order.ids]
        yield Record(
            order.query,
            tuple(Text(name, text_of[name]) for name in relevant),
            tuple(Text(name, text) for name, text in zip(order.ids, texts, strict=True)),
            order.query_id,
        )


def _counted(counts: Path, records: Sequence[Record], left_out: Mapping[str, int]) -> dict[str, Any]:
    """Return what the card says of numbers: of the records, of the ranking, and the model's name at its server."""
    told = json.loads(counts.read_text(encoding="utf-8"))
    lengths = [len(record.retrieved_passages) for record in records]
    released = {
        "queries": len(records),
        "passages": sum(lengths),
        "different_passages": len({item.docid for record in records for item in record.retrieved_passages}),
        "passages_per_query": f"{min(lengths)} to {max(lengths)}",
        "queries_with_a_positive_passage": sum(bool(record.positive_passages) for record in records),
        **left_out,
    }
    return {"released": released, "ranking": dict(figures(told)), "snapshots": told.get("snapshots", [])}
