"""Output of `python scripts/show_tables.py`: the small tables of an experiment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.steps.tables.id_ood_rows import MainRow
from synthrank.steps.tables.show import format_small_table, read_main_rows
from synthrank.steps.tables.small_table import small_table
from synthrank.steps.tables.tidy_csv import write_rows

PROJECT = Path(__file__).resolve().parents[3]
GENERATED, FUSED, ALL = "fast zero-shot tiny", "slow+first-stage human none", "macro-average"


def row(system, mean, testset="home", measure="nDCG@10", seeds=3, **compared):
    ranker, recipe, llm = system.split()
    return MainRow(ranker, recipe, llm, testset, measure, mean, None, 0.0, 1.0, seeds, 10, **compared)


TO_HUMAN = {"reference": "human/none/fast"}
ID = [
    row("bm25 none none", 0.4, seeds=1),
    row("fast none none", 0.1, delta=-0.15, p=0.0004, p_holm=0.0008, **TO_HUMAN),
    row("fast human none", 0.25),
    row(GENERATED, 0.2, delta=-0.05, p=0.0312, p_holm=0.0624, **TO_HUMAN),
    row(FUSED, 0.45, first_stage="bm25", delta_first_stage=0.05, p_first_stage=0.01),
    row("bm25 none none", 0.7, measure="MRR@10"),
]
OOD = [
    row("bm25 none none", 0.9, "near", seeds=1),
    row("bm25 none none", 0.5, "far", seeds=1),
    row("bm25 none none", 0.7, ALL, seeds=1),
    row("fast none none", 0.312, ALL, delta=0.012, p=0.5, p_holm=0.5, **TO_HUMAN),
    row("fast human none", 0.3, ALL),
    row(GENERATED, 0.375, ALL, delta=0.075, p=0.04, p_holm=0.08, **TO_HUMAN),
    row(FUSED, 0.688, ALL, first_stage="bm25", delta_first_stage=-0.012, p_first_stage=0.2),
]
TEXT = """\
In distribution: nDCG@10, test set home, 10 queries, 3 training seeds

training set         fast   slow (fused)
bm25 (first stage)  0.400          0.400
untrained           0.100†
human               0.250          0.450
zero-shot by tiny   0.200

† differs significantly from the same ranker trained on human (p below 0.05, adjusted by Holm's method).
Training fast on human changes it by +0.150 (p < .001).
slow (fused) against bm25 (p below 0.05, not adjusted): above with human.

Out of distribution: nDCG@10, macro average of 2 test sets, 10 queries, 3 training seeds

training set         fast   slow (fused)
bm25 (first stage)  0.700          0.700
untrained           0.312
human               0.300          0.688
zero-shot by tiny   0.375

No system differs significantly from the same ranker trained on human (p below 0.05, adjusted by Holm's method).
Training fast on human changes it by -0.012 (p .500).
slow (fused) against bm25 (p below 0.05, not adjusted): not different with any training set.
"""


@pytest.fixture
def tables(tmp_path):
    """Return the folder of both tables."""
    for name, rows in (("id", ID), ("ood", OOD)):
        write_rows(tmp_path / f"{name}.csv", MainRow, rows)
    return tmp_path


def test_read_main_rows_returns_the_rows_that_were_written(tables):
    assert read_main_rows(tables / "id.csv") == ID
    assert read_main_rows(tables / "ood.csv") == OOD


def test_format_small_table_aligns_means_and_marks():
    first, second = TEXT.split("\n\nOut of", 1)
    assert format_small_table("In distribution", small_table(ID, 0.05, "†")) == first
    assert format_small_table("Out of distribution", small_table(OOD, 0.05, "†")) + "\n" == "Out of" + second


def test_small_table_of_two_test_sets_needs_a_macro_average():
    assert small_table(OOD[:2], 0.05, "†") is None


def test_show_tables_prints_both_small_tables(tables):
    done = subprocess.run(
        [sys.executable, PROJECT / "scripts/show_tables.py", "--tables", str(tables)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{TEXT}\nEvery test set and measure: {tables}/ood.md and {tables}/id.md\n"
