"""Output of `python scripts/compare.py` for two experiments."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.errors import ConfigError, DataError
from synthrank.steps.tables.compare import find_tables, format_comparison, read_all_means
from synthrank.steps.tables.id_ood_rows import MainRow
from synthrank.steps.tables.tidy_csv import write_rows

PROJECT = Path(__file__).resolve().parents[3]
MACRO = "macro-average"


def row(system, testset, mean, measure="nDCG@10"):
    ranker, recipe, llm = system.split()
    return MainRow(ranker, recipe, llm, testset, measure, mean, None, 0.0, 1.0, 3, 10)


FIRST = {
    "id": [
        row("bm25 none none", "home", 0.9, "MRR@10"),
        row("bm25 none none", "home", 0.4),
        row("fast human none", "home", 0.25),
    ],
    "ood": [
        row("bm25 none none", "near", 0.5),
        row("bm25 none none", "far", 0.3),
        row("bm25 none none", "lost", 0.1),
        row("bm25 none none", MACRO, 0.3),
        row("fast zero-shot tiny", "near", 0.2),
    ],
}
SECOND = {
    "id": [row("bm25 none none", "home", 0.4), row("slow human none", "home", 0.7)],
    "ood": [
        row("bm25 none none", "near", 0.514),
        row("bm25 none none", "far", 0.25),
        row("bm25 none none", "new", 1.0),
        row("bm25 none none", MACRO, 0.588),
        row("fast zero-shot tiny", "near", 0.15),
    ],
}
TEXT = """\
nDCG@10                  test set           one     two  difference
bm25, first stage        id: home        0.4000  0.4000     +0.0000
bm25, first stage        ood: near       0.5000  0.5140     +0.0140
bm25, first stage        ood: far        0.3000  0.2500     -0.0500
bm25, first stage        ood: mean of 2  0.4000  0.3820     -0.0180
fast, zero-shot by tiny  ood: near       0.2000  0.1500     -0.0500

Differences are two minus one and are not tested.
Only in one: fast, human
Only in one: test set lost
Only in two: slow, human
Only in two: test set new"""


def write(folder, tables):
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        write_rows(folder / f"{name}.csv", MainRow, rows)
    return folder


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """Return a folder with the results of experiment one and the tables of experiment two."""
    write(tmp_path / "results/one/tables", FIRST)
    write(tmp_path / "two", SECOND)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compare(folder, *names):
    return subprocess.run(
        [sys.executable, PROJECT / "scripts/compare.py", *names],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(PROJECT / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_compare_prints_the_first_common_measure_of_a_name_and_a_folder(finished):
    assert compare(finished, "one", "two").stdout == TEXT + "\n"


def test_find_tables_prefers_an_experiment_to_a_folder(finished):
    write(finished / "one", SECOND)
    assert find_tables("one") == Path("results/one/tables")
    assert find_tables("results/one/tables") == Path("results/one/tables")
    assert find_tables("two") == Path("two")


@pytest.mark.parametrize("name", ["three", "", "results"])
def test_find_tables_refuses_an_experiment_without_tables(finished, name):
    with pytest.raises(ConfigError, match=rf"^'{name}': no id\.csv and ood\.csv in .*\(known: one\)$"):
        find_tables(name)
    done = compare(finished, "one", name)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_format_comparison_refuses_experiments_without_a_common_system(finished):
    write(finished / "other", {"id": SECOND["id"][1:], "ood": SECOND["ood"][2:4]})
    with pytest.raises(DataError, match=r"^one and other: no system with a common test set and measure; "):
        format_comparison(("one", "other"), (read_all_means(Path("results/one/tables")), read_all_means(Path("other"))))


def test_format_comparison_rounds_a_tiny_negative_difference_to_plus_zero():
    one, other = ({"nDCG@10": {("id", ("bm25", "none", "none"), "home"): mean}} for mean in (0.1 + 0.2, 0.3))
    assert " 0.3000  0.3000     +0.0000\n" in format_comparison(("one", "two"), (one, other))
