"""The tables of training sets and of overlaps, with their Markdown copies."""

import csv
import json

from synthrank.steps.tables.make_validity_table import Measured, make_validity_table

STATISTICS = {
    "pairs": 3, "queries": 2, "passages": 3, "empty": 0, "passages_per_query": 1.5,
    "words": {"mean": 80.25, "sd": 1.5, "median": 80.0, "min": 70},
    "query_overlap": {"mean": 0.346, "sd": 0.1}, "query_overlap_without_stop_words": 0.25,
    "segmental_type_token_ratio": None, "compression_ratio": 2.5, "refusals": 0.5, "near_duplicates": 0.0,
    "languages": {"en": 2, "de": 1}, "sample": 3, "reading_grade": 9.0, "distinct_1": 0.5, "distinct_2": 0.75,
    "distinct_3": 1.0, "self_bleu": None, "mean_cosine": 0.125, "effective_passages": 2.5,
}  # fmt: skip
LEAKS = {
    "compared": {"query": 2, "passage": 3},
    "testsets": {"faq": {"query": 9, "passage": 9}},
    "leaks": {"faq": {"exact": {"query": 0, "passage": 1}, "8-gram": {"query": 0, "passage": 2}}},
}

CONTROLS = {
    "overlap": {"own": STATISTICS | {"query_overlap": {"mean": 0.0}}},
    "length": {side: STATISTICS | {"self_bleu": value} for side, value in (("own", 40.0), ("reference", 20.0))},
}


def make(folder, trained):
    """Write the files of each (recipe, LLM, statistics, overlaps) and make the tables."""
    for recipe, llm, statistics, leaks in trained:
        place = folder / "trainsets" / recipe / llm / "draw-1"
        place.mkdir(parents=True)
        (place / "statistics.json").write_text(json.dumps(statistics))
        (place / "leaks.json").write_text(json.dumps(leaks))
        (place / "controls.json").write_text(json.dumps(CONTROLS if recipe != "human" else {}))
    places = [folder / "trainsets" / recipe / llm / "draw-1" for recipe, llm, *_ in trained]
    make_validity_table(
        statistics=[place / "statistics.json" for place in places],
        controls=[place / "controls.json" for place in places], reference="human",
        leaks=[place / "leaks.json" for place in places],
        validity=folder / "validity.csv", validity_markdown=folder / "validity.md",
        table=folder / "leaks.csv", markdown=folder / "leaks.md",
    )  # fmt: skip
    tables = []
    for name in ("validity.csv", "leaks.csv"):
        with (folder / name).open() as stream:
            tables.append(list(csv.DictReader(stream)))
    return *tables, (folder / "validity.md").read_text(), (folder / "leaks.md").read_text()


def test_validity_table_has_a_row_per_training_set_and_control_in_order(tmp_path):
    empty = STATISTICS | {"languages": {}, "words": dict.fromkeys(("mean", "sd", "median"), None)}
    measured, leaked, page, leaks_page = make(
        tmp_path, [("human", "none", STATISTICS, LEAKS), ("zero-shot@50", "gpt", empty, LEAKS)]
    )
    assert [(row["recipe"], row["llm"], row["matching"], row["matched_with"]) for row in measured] == [
        ("human", "none", "none", ""),
        ("zero-shot@50", "gpt", "none", ""),
        ("zero-shot@50", "gpt", "overlap", ""),
        ("zero-shot@50", "gpt", "length", "human"),
        ("human", "none", "length", "zero-shot@50 by gpt"),
    ]
    assert [row["self_bleu"] for row in measured[3:]] == ["40.0000", "20.0000"]
    assert {row["draw"] for row in (*measured, *leaked)} == {"1"}
    row = measured[0]
    columns = [name for name in Measured.__slots__ if name != "segmental_type_token_ratio"]
    assert list(row) == columns, "columns that are empty in every row are left out"
    assert (row["words_mean"], row["query_overlap"], row["self_bleu"]) == ("80.2500", "0.3460", "")
    assert (row["language"], row["language_share"], row["pairs"]) == ("en", "0.6667", "3")
    assert (measured[1]["language"], measured[1]["language_share"], measured[1]["words_sd"]) == ("", "", "")
    assert "| human | 2 | 3 | 1.500 | 80.250 |" in page
    assert "| human | length | zero-shot@50 by gpt | 2 | 80.250 | 9.000 | 0.346 |" in page
    assert page.index("| zero-shot@50 by gpt | overlap |") > page.index("## Matched controls")
    assert page.count("| zero-shot@50 by gpt | 2 | 3 |") == 1, "controls are in a separate section"
    assert [tuple(row.values())[3:] for row in leaked[:4]] == [
        ("faq", "exact", "query", "0", "2"), ("faq", "exact", "passage", "1", "3"),
        ("faq", "8-gram", "query", "0", "2"), ("faq", "8-gram", "passage", "2", "3"),
    ]  # fmt: skip
    assert len(leaked) == 8
    assert "| human | faq | passage | 3 | 1 | 2 |" in leaks_page
    assert "| query |" not in leaks_page, "rows of zeros are only in the CSV"


def test_validity_table_markdown_states_that_no_text_overlaps(tmp_path):
    none = LEAKS | {"leaks": {"faq": {"exact": {"query": 0, "passage": 0}}}}
    assert "No training text occurs in a test set." in make(tmp_path, [("human", "none", STATISTICS, none)])[3]
