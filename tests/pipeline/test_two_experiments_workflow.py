"""Two experiments in one folder have separate tables and share all other results."""

import csv
import re

import pytest
from conftest import copy_of
from toy_experiment import TABLES, snakemake

pytestmark = pytest.mark.workflow

OTHER = """
name: other
llms: [echo]
recipes: [human, rewritten]
rankers: [bi-encoder]
seeds: [1]
suites: [toy]
first_stages: [bm25]
measures: [nDCG@10, MRR@10, Recall@100]
intervals: {resamples: 200}
"""
TARGETS = [path.replace("results/", "results/other/") for path in TABLES]


def systems(path):
    with path.open(newline="") as stream:
        return {(row["ranker"], row["recipe"], row["testset"], row["measure"], row["mean"])
                for row in csv.DictReader(stream)}  # fmt: skip


@pytest.fixture(scope="module")
def both(finished_toy, tmp_path_factory):
    """Return the folder of a toy with two finished experiments, and the output of the second run."""
    folder = copy_of(finished_toy, tmp_path_factory.mktemp("two") / "toy")
    (folder / "config/other.yaml").write_text(OTHER)
    done = snakemake(folder, "--cores", "2", "--configfile", "config/other.yaml", "--", *TARGETS)
    return folder, done.stdout


def test_second_experiment_trains_no_ranker_of_the_first_again(both):
    _, said = both
    assert re.findall(r"output: results/checkpoints/(\S+),?", said) == ["rewritten/none/bi-encoder/seed-1"]
    assert not re.search(r"output: results/(corpora|models)/", said)


def test_both_experiments_have_their_tables_and_logs(both, finished_toy):
    folder, _ = both
    for path, other in zip(TABLES, TARGETS, strict=True):
        assert (folder / path).read_bytes() == (finished_toy / path).read_bytes()
        shared = systems(folder / path) & systems(folder / other)
        assert {row[:2] for row in shared} == {("bm25", "none"), ("bi-encoder", "none"), ("bi-encoder", "human")}
    for log in ("logs/make_tables/tables.log", "benchmarks/make_tables/tables.tsv"):
        assert (folder / "results" / log).is_file()
        assert (folder / "results" / log.replace("/tables.", "/other/tables.")).is_file()


def test_neither_experiment_has_anything_left_to_do(both):
    folder, _ = both
    for config, targets in (("config", TABLES), ("other", TARGETS)):
        done = snakemake(folder, "--dry-run", "--configfile", f"config/{config}.yaml", "--", *targets)
        assert "Nothing to be done" in done.stdout


def test_the_tables_of_the_other_experiment_are_refused_in_one_line(both):
    folder, _ = both
    done = snakemake(folder, "--dry-run", "--", *TARGETS[:1], check=False)
    assert done.returncode
    said = f"{TARGETS[0]}: --configfile config/other.yaml makes it; this one makes {TABLES[0]}"
    assert [line for line in done.stdout.splitlines() if line.startswith(TARGETS[0])] == [said]


def test_the_default_target_is_the_experiments_own(both):
    folder, _ = both
    done = snakemake(folder, "--dry-run", "--forceall", "--configfile", "config/other.yaml")
    assert re.findall(r"output: (results/\S*tables/id.csv)", done.stdout) == TARGETS[:1]
