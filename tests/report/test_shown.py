"""Tables on the page say what the files say, digit by digit."""

import csv

import pytest
from report_case import ID

from synthrank.report.columns import COLUMNS
from synthrank.report.shown import read_shown


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


def test_a_mean_stands_with_its_interval_and_is_sorted_by_itself(shown):
    table = shown(ID)
    assert texts(table, "mean")[:3] == [
        "0.3000 [0.2000, 0.4000]",
        "0.2000 [0.1000, 0.3000]",
        "0.4000 [0.3000, 0.5000]",
    ]
    place = [column.key for column in table.columns].index("mean")
    assert [row[place].order for row in table.rows][:2] == ["0.3000", "0.2000"]
    assert not {"ci_low", "ci_high"} & {column.key for column in table.columns}


def test_the_mark_is_that_of_the_twin(shown):
    assert [text.endswith("†") for text in texts(shown(ID), "mean")] == [False, False, False, True, False]
    assert shown(ID).marked
    assert not shown(ID, alpha=0.004).marked  # below, not at


def test_a_table_of_claims_bears_no_mark(shown):
    head, row = "claim,effect,ci_low,ci_high,p_holm,verdict\n", "gain,0.1,0.0,0.2,0.0001,supported\n"
    assert not shown(head + row, "claims").marked


def test_what_every_row_has_in_common_is_said_once(shown):
    table = shown(ID)
    assert ("seeds", "1") in table.common
    assert ("test set", "gardens") in table.common
    assert not {"seeds", "testset", "std"} & {column.key for column in table.columns}
    assert not any(not value for _, value in table.common), "what is empty is not said"


def test_what_a_row_is_about_comes_before_what_was_measured(shown):
    long = "a statement that is longer than what stands in a line"
    table = shown(f"claim,statement,effect,p,verdict\nx,{long},0.1,0.2,yes\ny,{long}.,0.3,0.4,no\n", "claims")
    assert [column.key for column in table.columns] == ["claim", "verdict", "effect", "p", "statement"]


def test_two_rows_have_nothing_in_common(shown):
    assert not shown("".join(ID.splitlines(keepends=True)[:3])).common


def test_columns_are_chosen_by_where_there_is_little_to_choose(shown):
    kinds = {column.key: column.kind for column in shown(ID).columns}
    assert kinds["ranker"] == kinds["recipe"] == kinds["measure"] == "choice"
    assert kinds["mean"] == kinds["p_holm"] == "number"
    many = shown("word,n\n" + "".join(f"w{n},1\n" for n in range(21)))
    assert [column.kind for column in many.columns] == ["word"]


def test_long_texts_come_last(shown):
    table = shown(f"statement,p\n{'word ' * 20},0.1\nother,0.2\n")
    assert [(column.key, column.kind) for column in table.columns] == [("p", "number"), ("statement", "text")]
    assert texts(table, "p") == ["0.1", "0.2"]


def test_every_interval_becomes_one_cell(shown):
    table = shown("mean,ci_low,ci_high,delta_base,delta_base_low,delta_base_high\n.5,.4,.6,.1,.0,.2\n.5,.4,.6,,,\n")
    assert [column.key for column in table.columns] == ["mean", "delta_base"]
    assert [[cell.text for cell in row] for row in table.rows] == [[".5 [.4, .6]", ".1 [.0, .2]"], [".5 [.4, .6]", ""]]


def test_no_number_is_lost_or_changed(shown):
    table = shown(ID)
    said = " ".join(cell.text for row in table.rows for cell in row) + " ".join(value for _, value in table.common)
    for row in csv.DictReader(ID.splitlines()):
        assert all(value in said for value in row.values())


def test_every_word_for_a_column_is_explained():
    assert all(said.label and said.text for said in COLUMNS.values())
