"""Step import_passages: passages that were written elsewhere, as positives and as a collection."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from synthrank.errors import BudgetError, DataError
from synthrank.files import check_sha256, json_lines, read_jsonl, write_json, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.records import Passage, Query, WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.paradigms import ImportedParadigm, ParadigmSpec, rewords
from synthrank.trec import best_first, read_qrels

log = logging.getLogger(__name__)


def import_passages(
    *,
    paradigm: Path,
    file: Path,
    queries: list[Path],
    qrels: list[Path],
    held_out: list[Path],
    passages: Path,
    collection: Path,
    counts: Path,
) -> None:
    """Take the imported texts of the training queries as positives, and all of them as a collection.

    Keyed by passage, a text is another wording of a passage of the corpus: the positives of a query are its relevant
    passages, best grade first, under their own ids and in the other wording, without those that answer a held-out
    query, as for human passages. Keyed by query, a text answers a training query, under the id ``QUERY@PARADIGM``.
    White space is collapsed. A text without words is left out everywhere, one with fewer than ``quality.min_words``
    is no positive.

    Args:
        paradigm: the paradigm's entity file.
        file: the texts, as JSON lines.
        queries: the training queries; empty where the corpus has none, and nothing but the collection is wanted.
        qrels: the training qrels; likewise.
        held_out: qrels of the splits that training must not see.
        passages: written: the positives.
        collection: written: every text that has words, under its own id.
        counts: written: how many there are, and how many were left out and why.

    Raises:
        BudgetError: there are training queries, but no positive for them.
        ChecksumError: the file is not the one that the paradigm pins.
        DataError: a line lacks an id or a text, or an id is given twice or has white space.
    """
    spec: ImportedParadigm = load(ParadigmSpec, paradigm)
    if spec.sha256:
        check_sha256(file, spec.sha256, str(paradigm))
    tally: Counter[str] = Counter(
        texts=0, empty=0, queries=0, passages=0, queries_served=0, missing=0, too_short=0, held_out_answers=0
    )
    text_of = _read(spec, file, tally)
    asked = [query for path in queries for query in read_jsonl(path, Query)]
    tally["queries"] = len(asked)
    if rewords(spec):
        grades = {query: best_first(found) for path in qrels for query, found in read_qrels(path).items()}
        wanted = _reworded(asked, grades, excluded_passages(held_out), tally)
    else:
        wanted = ((query, query.id, f"{query.id}@{paradigm.stem}", 1) for query in asked)
    found = list(_usable(wanted, text_of, spec.quality.min_words, tally))
    tally["passages"], tally["queries_served"] = len(found), len({item.query_id for item in found})
    if asked and not found:
        raise BudgetError(f"{file}: none of {len(text_of)} texts serves a training query; is by: {spec.by} right?")
    log.info("%s", dict(tally))
    write_jsonl(passages, found)
    write_jsonl(collection, (Passage(name, text) for name, text in text_of.items()))
    write_json(counts, {"written_by": spec.written_by, **tally})


def _read(spec: ImportedParadigm, file: Path, tally: Counter[str]) -> dict[str, str]:
    """Return every text that has words by its id, in the order of the file."""
    text_of: dict[str, str] = {}
    for number, row in json_lines(file):
        name, text = _string(row, spec.id_key, file, number), _string(row, spec.text_key, file, number)
        if name.split() != [name]:
            raise DataError(f"{file}:{number}: id {name!r}; expected one that is not empty and has no white space")
        if name in text_of:
            raise DataError(f"{file}:{number}: id {name!r} is given twice; ids must be unique")
        title = _string(row, spec.title_key, file, number) if spec.title_key else ""
        text_of[name] = " ".join([*title.split(), *text.split()]) if text.strip() else ""
    tally["texts"], tally["empty"] = len(text_of), sum(not text for text in text_of.values())
    return {name: text for name, text in text_of.items() if text}


def _string(row: Mapping[str, object], key: str, file: Path, number: int) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # many files have whole numbers for ids
    if not isinstance(value, str):
        raise DataError(f"{file}:{number}: {key} is {value!r}; expected a text, or state another key")
    return value


Wanted = tuple[Query, str, str, int]
"""A training query, the id of the text that serves it, the id of the passage that this makes, its grade."""


def _reworded(
    asked: list[Query], grades: Mapping[str, list[tuple[str, int]]], excluded: set[str], tally: Counter[str]
) -> Iterator[Wanted]:
    for query in asked:
        for name, grade in grades.get(query.id, []):
            if name in excluded:
                tally["held_out_answers"] += 1
            else:
                yield query, name, name, grade


def _usable(
    wanted: Iterator[Wanted], text_of: Mapping[str, str], min_words: int, tally: Counter[str]
) -> Iterator[WrittenPassage]:
    for query, key, name, grade in wanted:
        text = text_of.get(key)
        if text is None:
            tally["missing"] += 1
        elif len(text.split()) < min_words:
            tally["too_short"] += 1
        else:
            yield WrittenPassage(name, text, query.id, query.text, grade)
