"""Step release_passages: publish training passages as a data set that loads without a script."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec
from synthrank.config.paradigms import GeneratedParadigm, HumanParadigm, ImportedParadigm, ParadigmSpec, QueriedParadigm
from synthrank.data.files import atomic_path, read_jsonl
from synthrank.data.passage_texts import find_texts
from synthrank.data.records import Exemplar, Reply, WrittenPassage
from synthrank.data.trec import read_qrels, relevant
from synthrank.errors import BudgetError
from synthrank.steps.releases.beir import beir_tables, write_beir
from synthrank.steps.releases.cards import CardPart, figures, llm_parts, part, write_card, write_checksums
from synthrank.steps.releases.human_similarity import compare_with_human
from synthrank.steps.releases.replies import make_reply_table, sum_costs
from synthrank.steps.releases.tables import DatasetTable, write_croissant, write_tables


def release_passages(
    *,
    passages: Path,
    counts: Path,
    replies: list[Path],
    exemplars: list[Path],
    corpus: Path,
    collection: Path,
    qrels: Path,
    paradigm: Path,
    prompt: list[Path],
    llm: list[Path],
    weights: list[Path],
    statistics: list[Path],
    leaks: list[Path],
    template: Path,
    release: Path,
) -> None:
    """Write a folder that can be published: Parquet tables, the BEIR layout, a card, Croissant, checksums.

    Args:
        passages: the training passages; each is released with its query and its grade.
        counts: the counts of the steps that made the passages.
        replies: all replies of the language model, if it generated passages or queries; they become the configuration
            ``replies``.
        exemplars: every exemplar in a prompt, if prompts have exemplars; they become the configuration ``exemplars``.
        corpus: the entity file of the corpus.
        collection: the passages of the corpus, for the comparison with human passages.
        qrels: the training qrels, for the comparison with human passages.
        paradigm: the paradigm's entity file.
        prompt: the paradigm's prompt file, if it has one.
        llm: the entity file of the LLM that generated the passages or their queries; empty without an LLM.
        weights: the entity file of the LLM's model, if the LLM runs in-process.
        statistics: the statistics of the passages, if the experiment measures them.
        leaks: the overlap with test sets, if the experiment searches for it.
        template: the template of the card.
        release: the folder to write.

    Raises:
        BudgetError: the file has no passages.
        DataError: two passages or two queries with the same id have different texts.
    """
    written = list(read_jsonl(passages, WrittenPassage))
    if not written:
        raise BudgetError(f"{passages}: the file has no passages; a release needs at least one passage")
    spec: ParadigmSpec = load(ParadigmSpec, paradigm)
    generator = _name_generator(spec, llm)
    received = [reply for path in replies for reply in read_jsonl(path, Reply)]
    shown = [item for path in exemplars for item in read_jsonl(path, Exemplar)]
    tables = [
        _make_default_table(written, generator, paradigm.stem),
        *beir_tables(written, passages),
        *([make_reply_table(received)] if replies else []),
        *([_make_exemplar_table(shown)] if shown else []),
    ]
    title = ", ".join(path.stem for path in (corpus, paradigm, *llm))
    description = _describe(spec, corpus.stem, generator)
    is_human = isinstance(spec, HumanParadigm | QueriedParadigm)
    with atomic_path(release) as folder:
        folder.mkdir()
        write_tables(folder, tables)
        write_beir(folder, tables)
        write_croissant(folder, title, f"{description}.", tables)
        write_card(
            folder,
            template,
            title=title,
            description=description,
            tables=tables,
            kind=spec.kind,
            corpus=corpus.stem,
            generator=generator,
            llm="".join(path.stem for path in llm),
            parts=dict(_list_parts(corpus, paradigm, llm, weights)),
            likenesses=[] if is_human else compare_with_human(written, _read_human_texts(collection, qrels)),
            **_describe_prompt(spec, prompt, shown),
            **_count_released(written, counts, received),
            **_read_quality(statistics, leaks),
        )
        write_checksums(folder)


def _make_default_table(written: Sequence[WrittenPassage], generator: str, paradigm: str) -> DatasetTable:
    """Return the table of the default configuration: one passage with its query per row."""
    names = ("query_id", "query", "passage_id", "passage", "grade", "generator", "paradigm")
    rows = [(item.query_id, item.query, item.id, item.text, item.grade, generator, paradigm) for item in written]
    return DatasetTable("default", "train", {name: int if name == "grade" else str for name in names}, rows)


def _name_generator(spec: ParadigmSpec, llm: Sequence[Path]) -> str:
    """Return the name of the passages' author: an LLM, ``people``, or the source of imported passages."""
    if isinstance(spec, ImportedParadigm):
        return spec.written_by
    if isinstance(spec, QueriedParadigm):
        return "people"
    return "".join(path.stem for path in llm) or "people"


def _describe(spec: ParadigmSpec, corpus: str, generator: str) -> str:
    if isinstance(spec, HumanParadigm):
        return f"Passages of {corpus} that people judged relevant to its training queries"
    if isinstance(spec, QueriedParadigm):
        return f"Passages of {corpus} with the queries that {spec.augmentation} made from them"
    if isinstance(spec, ImportedParadigm):
        return f"Passages for the training queries of {corpus}, written elsewhere ({generator})"
    return f"Passages that {generator} wrote for the training queries of {corpus}"


def _list_parts(corpus: Path, paradigm: Path, llm: Sequence[Path], weights: Sequence[Path]) -> Iterator[CardPart]:
    yield part("The corpus", CorpusSpec, corpus)
    yield part("The paradigm", ParadigmSpec, paradigm)
    yield from llm_parts(llm, weights)


def _read_human_texts(collection: Path, qrels: Path) -> dict[str, list[str]]:
    """Return the texts of the relevant human passages per training query."""
    judged = relevant(read_qrels(qrels))
    text_of = find_texts(collection, {name for names in judged.values() for name in names})
    return {query: [text_of[name] for name in sorted(names) if name in text_of] for query, names in judged.items()}


def _make_exemplar_table(shown: Sequence[Exemplar]) -> DatasetTable:
    """Return the table of the passages and queries in the prompts."""
    rows = [(item.id, item.query_id) for item in shown]
    return DatasetTable("exemplars", "train", {"passage_id": str, "query_id": str}, rows)


def _describe_prompt(spec: ParadigmSpec, prompt: Sequence[Path], shown: Sequence[Exemplar]) -> dict[str, Any]:
    """Return the card's facts on the prompt, empty without a prompt."""
    return {
        "prompt": "".join(path.stem for path in prompt),
        "prompt_text": "".join(path.read_text(encoding="utf-8-sig") for path in prompt).strip(),
        "exemplars": len(shown),
        "shown": spec.exemplars.count if isinstance(spec, GeneratedParadigm) and spec.exemplars else 0,
        "labels": spec.exemplars.labels if isinstance(spec, GeneratedParadigm) and spec.exemplars else None,
    }


def _count_released(written: Sequence[WrittenPassage], counts: Path, replies: Sequence[Reply]) -> dict[str, Any]:
    """Return the card's numbers of passages and replies."""
    return {
        "grades": sorted({item.grade for item in written}, reverse=True),
        "released": {
            "passages": len(written),
            "different passages": len({item.id for item in written}),
            "queries": len({item.query_id for item in written}),
        },
        "counts": _read_figures(counts),
        "cost": sum_costs(replies) if replies else {},
        "snapshots": sorted({reply.snapshot for reply in replies} - {""}),
    }


def _read_quality(statistics: Sequence[Path], leaks: Sequence[Path]) -> dict[str, Any]:
    """Return the statistics of the passages; ``leaks`` is null if overlap was not searched."""
    return {
        "statistics": {name: value for path in statistics for name, value in _read_figures(path).items()},
        "leaks": {name: value for path in leaks for name, value in _read_figures(path).items()} if leaks else None,
    }


def _read_figures(path: Path) -> dict[str, int | float]:
    return dict(figures(json.loads(path.read_text(encoding="utf-8"))))
