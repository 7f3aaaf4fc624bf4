"""Step release_rankings: publish a language model's rankings in the format of published data sets."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.config.augmentations import AugmentationSpec
from synthrank.config.corpora import CorpusSpec
from synthrank.config.pools import PoolSpec
from synthrank.config.rankings import RankingSpec
from synthrank.config.retrievers import RetrieverSpec
from synthrank.data.files import atomic_path, read_jsonl, write_jsonl
from synthrank.data.passage_texts import find_texts, texts_of
from synthrank.data.records import Order
from synthrank.data.trec import read_qrels
from synthrank.errors import BudgetError
from synthrank.steps.releases.cards import CardPart, figures, llm_parts, part, write_card, write_checksums


@dataclass(frozen=True, slots=True)
class PublishedPassage:
    """A passage of a published data set."""

    docid: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A query and its passages in a published data set (github.com/Dundalia/TWOLAR, utils.RerankData)."""

    query: str
    positive_passages: tuple[PublishedPassage, ...]
    retrieved_passages: tuple[PublishedPassage, ...]
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
    """Write a folder that can be published: the rankings with all texts, a card with their provenance, checksums.

    Args:
        queryset: the name of the queries.
        orders: the rankings of the language model; empty rankings are left out and counted.
        counts: the counts of the ranking step.
        corpus: the corpus's entity file.
        passages: the passages of the corpus.
        qrels: the qrels of the queries, if they are from a split.
        augmentation: the entity file of the queries, if they are from an augmentation.
        pool: the pool's entity file.
        sources: the entity files of the pool's first stages.
        ranking: the ranking's entity file.
        prompt: the ranking's prompt file.
        llm: the LLM's entity file.
        weights: the entity file of the LLM's model, if the LLM runs in-process.
        template: the template of the card.
        release: the folder to write.

    Raises:
        BudgetError: all rankings are empty.
        DataError: a ranked passage is not in the corpus.
    """
    listed = list(read_jsonl(orders, Order))
    kept = [order for order in listed if order.ids]
    if not kept:
        raise BudgetError(f"{orders}: all rankings are empty; a release needs at least one passage")
    judged = _group_relevant(qrels)
    records = list(_make_records(kept, judged, passages))
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
            parts=dict(_list_parts(corpus, augmentation, sources, pool, ranking, llm, weights)),
            prompt=prompt.stem,
            prompt_text=prompt.read_text(encoding="utf-8-sig").strip(),
            **_count_facts(counts, records, {"orders_without_a_passage": len(listed) - len(kept)}),
        )
        write_checksums(folder)


def _list_parts(
    corpus: Path,
    augmentation: Sequence[Path],
    sources: Sequence[Path],
    pool: Path,
    ranking: Path,
    llm: Path,
    weights: Sequence[Path],
) -> Iterator[CardPart]:
    """Yield the label of each ingredient on the card, and all keys of its entity file, defaults included."""
    yield part("The corpus", CorpusSpec, corpus)
    yield from (part("The queries", AugmentationSpec, path) for path in augmentation)
    yield from (part("The first stage", RetrieverSpec, path) for path in sources)
    yield part("The pool of candidates", PoolSpec, pool)
    yield part("The ranking", RankingSpec, ranking)
    yield from llm_parts([llm], weights)


def _group_relevant(qrels: Iterable[Path]) -> dict[str, list[str]]:
    """Return the relevant passages per query, best grade first."""
    return {
        query: sorted((name for name, grade in grades.items() if grade > 0), key=lambda name: -grades[name])
        for path in qrels
        for query, grades in read_qrels(path).items()
    }


def _make_records(orders: Sequence[Order], judged: Mapping[str, Sequence[str]], passages: Path) -> Iterator[Record]:
    positives = {name for order in orders for name in judged.get(order.query_id, ())}
    text_of = {
        **find_texts(passages, positives),
        **texts_of(passages, {name for order in orders if not order.texts for name in order.ids}),
    }
    for order in orders:
        # A judged passage may be absent from a pooled corpus; then it has no text to publish.
        relevant = [name for name in judged.get(order.query_id, ()) if name in text_of]
        texts = order.texts or [text_of[name] for name in order.ids]
        yield Record(
            order.query,
            tuple(PublishedPassage(name, text_of[name]) for name in relevant),
            tuple(PublishedPassage(name, text) for name, text in zip(order.ids, texts, strict=True)),
            order.query_id,
        )


def _count_facts(counts: Path, records: Sequence[Record], left_out: Mapping[str, int]) -> dict[str, Any]:
    """Return the card's numbers of the records and of the ranking, and the model's names at its server."""
    counted = json.loads(counts.read_text(encoding="utf-8"))
    lengths = [len(record.retrieved_passages) for record in records]
    released = {
        "queries": len(records),
        "passages": sum(lengths),
        "different_passages": len({item.docid for record in records for item in record.retrieved_passages}),
        "passages_per_query": f"{min(lengths)} to {max(lengths)}",
        "queries_with_a_positive_passage": sum(bool(record.positive_passages) for record in records),
        **left_out,
    }
    return {"released": released, "ranking": dict(figures(counted)), "snapshots": counted.get("snapshots", [])}
