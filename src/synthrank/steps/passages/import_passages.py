"""Step import_passages: use external passages as positives and as a corpus."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.paradigms import ImportedParadigm, ParadigmSpec, rewords
from synthrank.data.files import check_sha256, json_lines, read_jsonl, write_json, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.records import Passage, Query, WrittenPassage
from synthrank.data.trec import best_first, read_qrels
from synthrank.data.words import count_words, is_id, is_visible
from synthrank.errors import BudgetError, DataError

log = logging.getLogger(__name__)


def import_passages(
    *,
    paradigm: Path,
    file: Path,
    queries: list[Path],
    qrels: list[Path],
    excluded: Path,
    passages: Path,
    collection: Path,
    counts: Path,
) -> None:
    """Write the imported texts of the training queries as positives, and all imported texts as passages.

    If the file is keyed by passage, a text is another wording of a passage of the corpus. The positives of a query are
    its relevant passages in the other wording, best grade first, under the ids of the corpus; as for human passages,
    passages relevant to a held-out query are left out. If the file is keyed by query, a text is the positive of a
    training query, under the id ``QUERY@PARADIGM``. White space is collapsed. Texts without words are left out. Texts
    with fewer words than ``quality.min_words`` are not used as positives.

    Args:
        paradigm: the paradigm's entity file.
        file: the texts, as JSON lines.
        queries: the training queries; empty to write only the passages.
        qrels: the training qrels; empty together with ``queries``.
        excluded: the passages that must stay out of training.
        passages: written: the positives.
        collection: written: every text with words, under its id.
        counts: written: the numbers of texts, of positives, and of texts left out by reason.

    Raises:
        BudgetError: there are training queries, but no positive for them.
        ChecksumError: the file's hash differs from the paradigm's ``sha256``.
        DataError: a line lacks an id or a text, or an id is repeated or has white space.
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
        wanted = _list_reworded(asked, grades, read_excluded(excluded), tally)
    else:
        wanted = ((query, query.id, f"{query.id}@{paradigm.stem}", 1) for query in asked)
    found = list(_keep_usable(wanted, text_of, spec.quality.min_words, tally))
    tally["passages"], tally["queries_served"] = len(found), len({item.query_id for item in found})
    if asked and not found:
        raise BudgetError(
            f"{file}: no usable text for any training query among {len(text_of)}; check by: {spec.by} in {paradigm}"
        )
    log.info("%s", dict(tally))
    write_jsonl(passages, found)
    write_jsonl(collection, (Passage(name, text) for name, text in text_of.items()))
    write_json(counts, {"written_by": spec.written_by, **tally})


def _read(spec: ImportedParadigm, file: Path, tally: Counter[str]) -> dict[str, str]:
    """Return every text with words by id, in the order of the file."""
    text_of: dict[str, str] = {}
    known = {spec.id_key, spec.text_key, *([spec.title_key] if spec.title_key else [])}
    for number, row in json_lines(file, known):
        name, text = _read_string(row, spec.id_key, file, number), _read_string(row, spec.text_key, file, number)
        if not is_id(name):
            raise DataError(
                f"{file}:{number}: invalid id {name!r:.100}; an id must not be empty or contain white space or control "
                "characters"
            )
        if name in text_of:
            raise DataError(f"{file}:{number}: id {name!r} is repeated; ids must be unique")
        title = _read_string(row, spec.title_key, file, number) if spec.title_key else ""
        text_of[name] = " ".join([*title.split(), *text.split()]) if is_visible(text) else ""
    tally["texts"], tally["empty"] = len(text_of), sum(not text for text in text_of.values())
    return {name: text for name, text in text_of.items() if text}


def _read_string(row: Mapping[str, object], key: str, file: Path, number: int) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # many files have integer ids
    if not isinstance(value, str):
        raise DataError(f"{file}:{number}: {key} is {value!r}; expected a text, or set another key in the paradigm")
    return value


Wanted = tuple[Query, str, str, int]
"""A training query, the id of its imported text, the id of the resulting passage, and the grade."""


def _list_reworded(
    asked: list[Query], grades: Mapping[str, list[tuple[str, int]]], excluded: set[str], tally: Counter[str]
) -> Iterator[Wanted]:
    for query in asked:
        for name, grade in grades.get(query.id, []):
            if name in excluded:
                tally["held_out_answers"] += 1
            else:
                yield query, name, name, grade


def _keep_usable(
    wanted: Iterator[Wanted], text_of: Mapping[str, str], min_words: int, tally: Counter[str]
) -> Iterator[WrittenPassage]:
    for query, key, name, grade in wanted:
        text = text_of.get(key)
        if text is None:
            tally["missing"] += 1
        elif count_words(text) < min_words:
            tally["too_short"] += 1
        else:
            yield WrittenPassage(name, text, query.id, query.text, grade)
