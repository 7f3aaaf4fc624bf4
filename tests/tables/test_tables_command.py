"""What `python -m synthrank.tables` prints of the main tables: means, and the differences that they test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.tables.__main__ import as_text, read
from synthrank.tables.main_rows import Row
from synthrank.tables.tidy import write_rows

PROJECT = Path(__file__).resolve().parents[2]
WRITTEN, FUSED, ALL = "fast zero-shot tiny", "slow+first-stage human none", "macro-average"


def row(system, mean, testset="home", measure="nDCG@10", **compared):
    ranker, recipe, llm = system.split()
    return Row(ranker, recipe, llm, testset, measure, mean, None, 0.0, 1.0, 3, 10, **compared)


ID = [
    row("bm25 none none", 0.4),
    row("fast none none", 0.1, delta=-0.15, p=0.0004),
    row("fast human none", 0.25),
    row(WRITTEN, 0.2, delta=-0.05, p=0.0312),
    row(FUSED, 0.45, delta_first_stage=0.05, p_first_stage=0.01),
    row("bm25 none none", 0.7, measure="MRR@10"),
]
OOD = [
    row("bm25 none none", 0.9, "near"),
    row("bm25 none none", 0.5, "far"),
    row("bm25 none none", 0.7, ALL),
    row("fast none none", 0.312, ALL, delta=0.012, p=0.5),
    row("fast human none", 0.3, ALL),
    row(WRITTEN, 0.375, ALL, delta=0.075, p=0.002),
    row(FUSED, 0.688, ALL, delta_first_stage=-0.012, p_first_stage=0.2),
    row("far-only human none", 0.6, ALL),
]
TEXT = """\
nDCG@10                      in distribution  out of distribution
bm25, none                             0.400                0.700
fast, none                             0.100                0.312
fast, human                            0.250                0.300
fast, zero-shot by tiny                0.200                0.375
slow+first-stage, human                0.450                0.688
far-only, human                                             0.600

Training `fast` on `human` changes it by +0.150 in distribution (p < .001) and -0.012 out of distribution (p .500).
`fast` trained on `zero-shot` differs from `human` by -0.050 in distribution (p .031) and +0.075 out of distribution \
(p .002).
`slow+first-stage` trained on `human` differs from its first stage by +0.050 in distribution (p .010) and -0.012 out \
of distribution (p .200)."""
"""Deltas of an untrained ranker are to the trained one, so what training changes has the other sign."""


@pytest.fixture
def tables(tmp_path):
    """Return the folder of both tables."""
    for name, rows in (("id", ID), ("ood", OOD)):
        write_rows(tmp_path / f"{name}.csv", Row, rows)
    return tmp_path


def test_means_and_differences_of_the_first_measure(tables):
    assert as_text([read(tables / f"{name}.csv") for name in ("id", "ood")]) == TEXT


def test_the_only_test_set_or_the_average_is_read(tables):
    ranked = ("bm25", "none", "none")
    assert read(tables / "id.csv")[ranked]["mean"] == "0.4000"
    assert read(tables / "ood.csv")[ranked]["mean"] == "0.7000"
    write_rows(tables / "ood.csv", Row, OOD[:2])
    assert read(tables / "ood.csv") == {}, "two test sets without an average have no one mean"


def test_the_command_prints_it(tables):
    done = subprocess.run(
        [sys.executable, "-m", "synthrank.tables", "--tables", str(tables)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == TEXT + "\n"
