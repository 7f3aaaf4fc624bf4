"""Targets of the distillation study: planned jobs, results, and the error without a study."""

import csv
import json
import re

import pytest
from conftest import copy_of
from toy_experiment import TWOLAR, make_toy, publish_elsewhere, snakemake

pytestmark = pytest.mark.workflow

TARGETS = [f"results/tables/{name}.csv" for name in ("twolar", "ablation-data", "rankings")]
RELEASE = "results/releases/rankings/gardens/both/four/likelihood/echo"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = make_toy(tmp_path_factory.mktemp("toy"))
    publish_elsewhere(folder)
    return folder


def jobs(text):
    """Return the number of planned jobs of each rule."""
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}


@pytest.fixture
def with_study(toy):
    path = toy / "config/config.yaml"
    before = path.read_text()
    path.write_text(before + TWOLAR)
    yield toy
    path.write_text(before)


def test_tables_plan_the_needed_jobs(with_study):
    done = snakemake(with_study, "--dry-run", "--printshellcmds", "--", *TARGETS, "results/tables/ood.csv")
    found = jobs(done.stdout)
    assert found["make_twolar_table"] == found["make_ablation_table"] == found["make_ranking_table"] == 1
    assert found["pool_candidates"] == found["rank_candidates"] == found["gather_orders"] == 1
    assert found["order_trainset"] == 1
    # both students untrained and on rankings, one on human for the ablation; the other tables' rankers: two on none,
    # human and enriched
    assert found["score_testset"] == (4 + 1 + 6) * 2
    # bm25, which the students rerank, and tiny-sparse on each of two test sets
    assert found["score_first_stage"] == 4
    measured = re.findall(r"--measures (.*?) (?:--|&>)", done.stdout)
    assert measured.count("nDCG@10 MRR@10 Recall@100 nDCG@1") == 26, "scores hold what any table shows"
    assert measured.count("nDCG@10 MRR@10 Recall@100") == 1, "the other tables show what they showed"
    assert measured.count("nDCG@1 nDCG@10") == 2, "its tables show the distillation study's"
    assert "--recipes order human" in done.stdout


@pytest.fixture(scope="module")
def finished(finished_toy, tmp_path_factory):
    """Return the folder of a toy whose distillation study ran, after its tables."""
    folder = copy_of(finished_toy, tmp_path_factory.mktemp("whole") / "toy")
    publish_elsewhere(folder)
    with (folder / "config/config.yaml").open("a") as stream:
        stream.write(TWOLAR)
    snakemake(folder, "--cores", "2", "--", *TARGETS, RELEASE)
    return folder


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_distillation_study_runs(finished):
    with (finished / "results/tables/twolar.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    measured = [row for row in rows if row["kind"] == "measured"]
    trained = {"student", "t5", "student+first-stage", "t5+first-stage"}
    assert {row["system"] for row in measured} == {"bm25", "tiny-sparse"} | trained
    assert {row["recipe"] for row in measured} == {"none", "order"}
    assert {row["testset"] for row in measured} == {"gardens", "kitchens"}
    assert all(0 <= float(row["value"]) <= 1 for row in rows)
    published = {(row["system"], row["model"], row["testset"], row["measure"]): row["value"]
                 for row in rows if row["kind"] == "published"}  # fmt: skip
    assert float(next(value for key, value in published.items() if key[0].startswith("TWOLAR") and key[2:] == (
        "trec-dl19", "nDCG@10"))) == 0.7351  # fmt: skip


def test_every_query_has_ranked_candidates(finished):
    folder = finished / "results/rankings/gardens/both/four"
    pools = {item["query_id"]: item for item in jsonl(folder / "candidates.jsonl")}
    orders = {item["query_id"]: item for item in jsonl(folder / "likelihood/echo/orders.jsonl")}
    assert len(pools) == len(orders) == 12
    held_out = {line.split()[2] for line in (finished / "results/corpora/gardens/test/qrels.txt").open()}
    for name, order in orders.items():
        shown = [item["id"] for item in pools[name]["candidates"]]
        assert sorted(order["ids"]) == sorted(shown)
        assert len(set(shown)) == 8
        assert not held_out & set(shown)
    groups = jsonl(finished / "results/trainsets/order/echo/draw-0/groups.jsonl")
    assert {group["query_id"]: [item["id"] for item in group["candidates"]] for group in groups} == {
        name: order["ids"] for name, order in orders.items()
    }
    assert [item["label"] for item in groups[0]["candidates"]] == pytest.approx([1 / rank for rank in range(1, 9)])


def test_the_release_holds_the_orders(finished):
    released = jsonl(finished / RELEASE / "train.jsonl")
    orders = jsonl(finished / "results/rankings/gardens/both/four/likelihood/echo/orders.jsonl")
    assert [[item["docid"] for item in row["retrieved_passages"]] for row in released] == [row["ids"] for row in orders]


def test_a_second_run_does_nothing(finished):
    assert "Nothing to be done" in snakemake(finished, "--cores", "2", "--", *TARGETS, RELEASE).stdout


def test_missing_study_is_one_line(toy):
    done = snakemake(toy, "--dry-run", "--", "results/tables/twolar.csv", check=False)
    assert done.returncode
    errors = [line.strip() for line in done.stdout.splitlines() if "results/tables/twolar.csv: " in line]
    assert errors == [
        "results/tables/twolar.csv: the experiment has no 'twolar' section, so twolar.csv cannot be built; see "
        "docs/distillation-study.md"
    ]


def test_without_a_study_nothing_else_changes(toy):
    done = snakemake(toy, "--dry-run", "--printshellcmds")
    found = jobs(done.stdout)
    assert found["make_tables"] == 1
    assert not found.keys() & {"make_twolar_table", "make_ablation_table", "make_ranking_table", "rank_candidates"}
    assert set(re.findall(r"--measures (.*?) (?:--|&>)", done.stdout)) == {"nDCG@10 MRR@10 Recall@100"}


def test_unnamed_ablation_is_refused(with_study):
    done = snakemake(with_study, "--dry-run", "--", "results/tables/ablation-date.csv", check=False)
    assert done.returncode
    assert "No rule to produce results/tables/ablation-date.csv" in done.stdout
