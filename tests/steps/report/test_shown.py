"""Tables on the page have the words and digits of the CSV files."""

import csv
import re

import pytest
from report_case import ID

from synthrank.steps.report.columns import COLUMNS
from synthrank.steps.report.shown import read_prose, read_shown


@pytest.fixture
def shown(tmp_path):
    def read(text, name="id", alpha=0.05):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        return read_shown(path, alpha)

    return read


def texts(table, key):
    place = [column.key for column in table.columns].index(key)
    return [row[place].text for row in table.rows]


def test_read_shown_joins_mean_and_interval_and_sorts_by_the_mean(shown):
    table = shown(ID)
    assert texts(table, "mean")[:3] == [
        "0.3000 [0.2000, 0.4000]",
        "0.2000 [0.1000, 0.3000]",
        "0.4000 [0.3000, 0.5000]",
    ]
    place = [column.key for column in table.columns].index("mean")
    assert [row[place].order for row in table.rows][:2] == ["0.3000", "0.2000"]
    assert not {"ci_low", "ci_high"} & {column.key for column in table.columns}


def test_read_shown_marks_small_adjusted_p(shown):
    assert [text.endswith("†") for text in texts(shown(ID), "mean")] == [False, False, False, True, False]
    assert shown(ID).marked
    assert not shown(ID, alpha=0.004).marked  # below, not at


def test_read_shown_marks_no_claims(shown):
    head, row = "claim,effect,ci_low,ci_high,p_holm,verdict\n", "gain,0.1,0.0,0.2,0.0001,supported\n"
    assert not shown(head + row, "claims").marked


def test_read_shown_separates_values_common_to_all_rows(shown):
    table = shown(ID)
    assert ("seeds", "1") in table.common
    assert ("test set", "gardens") in table.common
    assert not {"seeds", "testset", "std"} & {column.key for column in table.columns}
    assert not any(not value for _, value in table.common), "empty values are left out"


def test_read_shown_puts_words_before_numbers(shown):
    long = "a statement that is longer than the limit of a word"
    table = shown(f"claim,statement,effect,p,verdict\nx,{long},0.1,0.2,yes\ny,{long}.,0.3,0.4,no\n", "claims")
    assert [column.key for column in table.columns] == ["claim", "verdict", "effect", "p", "statement"]


def test_read_shown_keeps_common_values_in_a_table_of_two_rows(shown):
    assert not shown("".join(ID.splitlines(keepends=True)[:3])).common


def test_read_shown_makes_filters_of_columns_with_few_values(shown):
    kinds = {column.key: column.kind for column in shown(ID).columns}
    assert kinds["ranker"] == kinds["recipe"] == kinds["measure"] == "choice"
    assert kinds["mean"] == kinds["p_holm"] == "number"
    many = shown("word,n\n" + "".join(f"w{n},1\n" for n in range(21)))
    assert [column.kind for column in many.columns] == ["word"]


def test_read_shown_puts_long_texts_last(shown):
    table = shown(f"statement,p\n{'word ' * 20},0.1\nother,0.2\n")
    assert [(column.key, column.kind) for column in table.columns] == [("p", "number"), ("statement", "text")]
    assert texts(table, "p") == ["0.1", "0.2"]


def test_read_shown_joins_every_interval(shown):
    table = shown("mean,ci_low,ci_high,delta_base,delta_base_low,delta_base_high\n.5,.4,.6,.1,.0,.2\n.5,.4,.6,,,\n")
    assert [column.key for column in table.columns] == ["mean", "delta_base"]
    assert [[cell.text for cell in row] for row in table.rows] == [[".5 [.4, .6]", ".1 [.0, .2]"], [".5 [.4, .6]", ""]]


def test_read_shown_keeps_every_number(shown):
    table = shown(ID)
    shown_text = " ".join(cell.text for row in table.rows for cell in row) + " ".join(
        value for _, value in table.common
    )
    for row in csv.DictReader(ID.splitlines()):
        assert all(value in shown_text for value in row.values())


def test_columns_have_labels_and_meanings():
    assert all(words.label and words.text for words in COLUMNS.values())


@pytest.mark.parametrize(
    "attack",
    [
        "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](vbscript:x)", "[x](data:text/html,<script>)",
        "[x](&#106;avascript:alert(1))", "![x](javascript:alert(1))", "<a href='javascript:alert(1)'>x</a>",
        "<javascript:alert(1)>", "<img src=x onerror=alert(1)>", "<script>alert(1)</script>",
    ],
)  # fmt: skip
def test_prose_of_a_table_has_no_script_and_no_link_to_one(tmp_path, attack):
    path = tmp_path / "claims.md"
    path.write_text(f"# Claims\n\nA claim: {attack}\n")
    (text,) = read_prose(path)
    assert re.findall(r"<[^>]*>", text) == ["<p>", "</p>"], "everything else is text"
