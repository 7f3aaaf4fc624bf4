"""Text cells that a spreadsheet would run are written as text, and read back unchanged."""

import csv
import io

import pytest

from synthrank.data.csv_text import dict_rows, protect, restore
from synthrank.data.scores import Score, read_scores, write_scores

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", "-", "=", "-x", "\ufeffq"]


@pytest.mark.parametrize("text", FORMULAS)
def test_protect_puts_an_apostrophe_before_a_formula(text):
    assert protect(text) == f"'{text}"
    assert restore(protect(text)) == text


@pytest.mark.parametrize("cell", ["", "a=b", "it's", "'quoted'", "-40", "+0.5", "-1e-3", -0.5, 3, None])
def test_protect_leaves_other_texts_and_numbers_unchanged(cell):
    assert protect(cell) is cell
    assert not isinstance(cell, str) or restore(cell) == cell


def test_dict_rows_restores_every_text():
    stream = io.StringIO()
    csv.writer(stream).writerows([["id", "value"], *([protect(text), "1"] for text in FORMULAS)])
    rows = list(dict_rows(io.StringIO(stream.getvalue(), newline="")))
    assert [row["id"] for row in rows] == FORMULAS


def test_scores_keep_a_query_id_that_is_a_formula(tmp_path):
    scores = [Score("bm25", "none", "none", "", "faq", "nDCG@10", query, 0.5) for query in ("=q", "-40", "'=q")]
    write_scores(tmp_path / "scores.csv", scores)
    assert read_scores(tmp_path / "scores.csv") == scores
    assert ",'=q,0.5\n" in (tmp_path / "scores.csv").read_text()
