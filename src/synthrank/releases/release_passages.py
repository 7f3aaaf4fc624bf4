"""Step release_passages: training passages as a data set that loads without a script."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from synthrank.errors import BudgetError
from synthrank.files import atomic_path, read_jsonl
from synthrank.records import Exemplar, Reply, WrittenPassage
from synthrank.releases.beir import beir_tables, write_beir
from synthrank.releases.cards import Part, figures, llm_parts, part, write_card, write_checksums
from synthrank.releases.likeness import likenesses
from synthrank.releases.replies import cost_of, replies_table
from synthrank.releases.tables import Table, write_croissant, write_tables
from synthrank.specs.base import load
from synthrank.specs.corpora import CorpusSpec
from synthrank.specs.paradigms import GeneratedParadigm, HumanParadigm, ImportedParadigm, ParadigmSpec, QueriedParadigm
from synthrank.texts import known_texts
from synthrank.trec import read_qrels, relevant


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
        passages: the written passages; each is released with its query and its grade.
        counts: what was counted while they were made.
        replies: all that the language model said, where one wrote passages or queries; it becomes the
            configuration ``replies``.
        exemplars: every exemplar that a prompt shows, where it shows some; they become the configuration ``exemplars``.
        corpus: the entity file of the corpus.
        collection: the passages of the corpus, for the comparison with human ones.
        qrels: the training qrels, for the same.
        paradigm: the paradigm's entity file.
        prompt: its prompt file, where it has one.
        llm: the LLM's entity file, where one wrote the passages or their queries.
        weights: the entity file of its model, where it runs in-process.
        statistics: what was measured of the passages, where that was asked for.
        leaks: what they share with test sets, where that was asked for.
        template: that of the card.
        release: written: the folder.

    Raises:
        BudgetError: there is no passage.
        DataError: two passages of one id, or two queries, have different texts.
    """
    written = list(read_jsonl(passages, WrittenPassage))
    if not written:
        raise BudgetError(f"{passages}: no passage; there is nothing to release")
    spec: ParadigmSpec = load(ParadigmSpec, paradigm)
    generator = _generator(spec, llm)
    said = [reply for path in replies for reply in read_jsonl(path, Reply)]
    shown = [item for path in exemplars for item in read_jsonl(path, Exemplar)]
    tables = [
        _default(written, generator, paradigm.stem),
        *beir_tables(written, passages),
        *([replies_table(said)] if replies else []),
        *([_exemplars(shown)] if shown else []),
    ]
    title = ", ".join(path.stem for path in (corpus, paradigm, *llm))
    description = _description(spec, corpus.stem, generator)
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
            parts=dict(_parts(corpus, paradigm, llm, weights)),
            likenesses=[]
            if isinstance(spec, HumanParadigm | QueriedParadigm)
            else likenesses(written, _human(collection, qrels)),
            **_asked(spec, prompt, shown),
            **_numbers(written, counts, said),
            **_tested(statistics, leaks),
        )
        write_checksums(folder)


def _default(written: Sequence[WrittenPassage], generator: str, paradigm: str) -> Table:
    """Return the table that loads where no configuration is named: a passage with its query a row."""
    names = ("query_id", "query", "passage_id", "passage", "grade", "generator", "paradigm")
    rows = [(item.query_id, item.query, item.id, item.text, item.grade, generator, paradigm) for item in written]
    return Table("default", "train", {name: int if name == "grade" else str for name in names}, rows)


def _generator(spec: ParadigmSpec, llm: Sequence[Path]) -> str:
    """Return who wrote the passages."""
    if isinstance(spec, ImportedParadigm):
        return spec.written_by
    if isinstance(spec, QueriedParadigm):
        return "people"
    return "".join(path.stem for path in llm) or "people"


def _description(spec: ParadigmSpec, corpus: str, generator: str) -> str:
    if isinstance(spec, HumanParadigm):
        return f"Passages of {corpus} that people judged relevant to its training queries"
    if isinstance(spec, QueriedParadigm):
        return f"Passages of {corpus} with the queries that {spec.augmentation} made from them"
    if isinstance(spec, ImportedParadigm):
        return f"Passages for the training queries of {corpus}, written elsewhere ({generator})"
    return f"Passages that {generator} wrote for the training queries of {corpus}"


def _parts(corpus: Path, paradigm: Path, llm: Sequence[Path], weights: Sequence[Path]) -> Iterator[Part]:
    yield part("The corpus", CorpusSpec, corpus)
    yield part("How the passages came to be,", ParadigmSpec, paradigm)
    yield from llm_parts(llm, weights)


def _human(collection: Path, qrels: Path) -> dict[str, list[str]]:
    """Return, per training query, the texts of the passages that people judged relevant."""
    judged = relevant(read_qrels(qrels))
    text_of = known_texts(collection, {name for names in judged.values() for name in names})
    return {query: [text_of[name] for name in sorted(names) if name in text_of] for query, names in judged.items()}


def _exemplars(shown: Sequence[Exemplar]) -> Table:
    """Return the table of which passages, and of which queries, the prompts show."""
    rows = [(item.id, item.query_id) for item in shown]
    return Table("exemplars", "train", {"passage_id": str, "query_id": str}, rows)


def _asked(spec: ParadigmSpec, prompt: Sequence[Path], shown: Sequence[Exemplar]) -> dict[str, Any]:
    """Return what the card says of the prompt, empty where there is none."""
    return {
        "prompt": "".join(path.stem for path in prompt),
        "prompt_text": "".join(path.read_text(encoding="utf-8") for path in prompt).strip(),
        "exemplars": len(shown),
        "shown": spec.exemplars.count if isinstance(spec, GeneratedParadigm) and spec.exemplars else 0,
        "labels": spec.exemplars.labels if isinstance(spec, GeneratedParadigm) and spec.exemplars else None,
    }


def _numbers(written: Sequence[WrittenPassage], counts: Path, replies: Sequence[Reply]) -> dict[str, Any]:
    """Return what the card says of passages and replies in numbers."""
    return {
        "grades": sorted({item.grade for item in written}, reverse=True),
        "released": {
            "passages": len(written),
            "different passages": len({item.id for item in written}),
            "queries": len({item.query_id for item in written}),
        },
        "counts": _figures(counts),
        "cost": cost_of(replies) if replies else {},
        "snapshots": sorted({reply.snapshot for reply in replies} - {""}),
    }


def _tested(statistics: Sequence[Path], leaks: Sequence[Path]) -> dict[str, Any]:
    """Return what was measured of the passages; ``leaks`` is None where none were looked for."""
    return {
        "statistics": {name: value for path in statistics for name, value in _figures(path).items()},
        "leaks": {name: value for path in leaks for name, value in _figures(path).items()} if leaks else None,
    }


def _figures(path: Path) -> dict[str, int | float]:
    return dict(figures(json.loads(path.read_text(encoding="utf-8"))))
