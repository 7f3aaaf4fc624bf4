"""The passage study on the toy: its targets, and one-line errors if a section is missing."""

import csv
import json
import re
import shutil

import pytest
from chromium import opened
from conftest import copy_of
from toy_experiment import PASSAGES, snakemake

from synthrank.steps.tables.verdicts import VERDICTS

pytestmark = pytest.mark.workflow

TABLES = ["claims", "enrichment", "sizes", "validity", "leaks", "bias"]
FIGURES = ["claims", "cost", "differences", "effectiveness", "enrichment", "passages", "sizes"]
REPORT = "results/report.html"
RELEASES = [
    "results/releases/passages/gardens/zero-shot/draw-0/echo",
    "results/releases/models/human/none/bi-encoder/seed-1",
    "results/releases/runs/toy/human/none/bi-encoder/seed-1",
]


@pytest.fixture(scope="module")
def finished(finished_toy, tmp_path_factory):
    """Return the folder of a toy with a finished passage study."""
    folder = copy_of(finished_toy, tmp_path_factory.mktemp("study") / "toy")
    path = folder / "config/config.yaml"
    text = path.read_text().replace("[cross-encoder, bi-encoder]", "[bi-encoder]")
    path.write_text(text.replace("[human, enriched]", "[human, enriched, rewritten]") + PASSAGES)
    targets = [*(f"results/tables/{name}.csv" for name in TABLES), *(f"results/figures/{name}.svg" for name in FIGURES)]
    snakemake(folder, "--cores", "2", "--", *targets, *RELEASES, REPORT)
    return folder


def rows(folder, name):
    with (folder / f"results/tables/{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_claims_are_the_declared_family(finished):
    found = rows(finished, "claims")
    assert [(row["claim"], row["ranker"], row["testsets"]) for row in found] == [
        ("gain", "bi-encoder", "gardens"), ("gain", "bi-encoder", "kitchens"), ("same", "bi-encoder", "kitchens"),
    ]  # fmt: skip
    assert {row["verdict"] for row in found} <= {*VERDICTS}
    assert {row["over"] for row in found} == {"queries"}
    assert "one family of 3 rows of 2 claims" in (finished / "results/tables/claims.md").read_text()


def test_the_effect_and_the_gain_of_a_claim_are_those_of_the_tables(finished):
    listed = [row for name in ("id", "ood") for row in rows(finished, name)]
    mean = {(row["recipe"], row["testset"]): float(row["mean"]) for row in listed
            if row["measure"] == "nDCG@10" and row["ranker"] == "bi-encoder"}  # fmt: skip
    for row in rows(finished, "claims"):
        place = row["testsets"]
        apart = mean[row["treatment"], place] - mean["human", place]
        assert float(row["effect"]) == pytest.approx(apart, abs=2e-4)
        assert float(row["gain"]) == pytest.approx(mean["human", place] - mean["none", place], abs=2e-4)


def test_a_smaller_sample_lies_within_a_larger_one(finished):
    small, large = (
        jsonl(finished / f"results/trainsets/{name}/none/draw-1/groups.jsonl") for name in ("human@6", "human")
    )
    assert len(small) == 6
    assert small == large[:6]
    assert {(row["recipe"], row["size"]) for row in rows(finished, "sizes")} == {("human", "6"), ("human", "12")}


def test_enrichment_is_held_against_base_and_control(finished):
    roles = {(row["role"], row["recipe"]) for row in rows(finished, "enrichment")}
    assert roles == {("base", "human@6"), ("control", "human"), ("enriched", "rewritten")}


def test_rewritten_positives_come_with_rewritten_negatives(finished):
    groups = jsonl(finished / "results/trainsets/rewritten/none/draw-1/groups.jsonl")
    texts = [item["text"] for group in groups for item in group["candidates"]]
    assert texts
    assert all(text.startswith("One should know: ") for text in texts)


def test_every_training_set_is_described_and_searched_for_leaks(finished):
    assert {row["recipe"] for row in rows(finished, "validity")} == {"human", "rewritten", "enriched"}
    assert {row["recipe"] for row in rows(finished, "leaks")} == {"human", "rewritten", "enriched"}


def test_bias_is_measured_on_both_halves(finished):
    found = rows(finished, "bias")
    assert {(row["ranker"], row["recipe"]) for row in found} == {
        ("bm25", "none"), ("bi-encoder", "none"), ("bi-encoder", "human"), ("bi-encoder", "enriched"),
        ("bi-encoder", "rewritten"),
    }  # fmt: skip


def test_every_figure_is_there_in_both_forms(finished):
    for name in FIGURES:
        assert (finished / f"results/figures/{name}.svg").read_text().startswith("<svg")
        assert (finished / f"results/figures/{name}.pdf").read_bytes().startswith(b"%PDF-")


def test_a_release_is_loaded_back(finished, tmp_path, monkeypatch):
    from datasets import load_dataset

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = shutil.copytree(finished / RELEASES[0], tmp_path / "release")
    released = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    written = jsonl(finished / "results/passages/gardens/zero-shot/draw-0/echo/passages.jsonl")
    assert sorted(released["query_id"]) == sorted(item["query_id"] for item in written)


def test_the_page_shows_the_rules_that_snakemake_draws(finished):
    drawn = snakemake(finished, "--rulegraph", "dot", "--", REPORT).stdout
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', drawn))
    edges = {(names[made], names[reader]) for made, reader in re.findall(r"(\d+) -> (\d+)", drawn)}
    page = (finished / REPORT).read_text(encoding="utf-8")
    rows = re.findall(r"<tr><td>(\w+)</td>.*?<td class=\"long\">([\w, ]*)</td></tr>", page, re.DOTALL)
    shown = {(made, reader) for reader, makers in rows for made in makers.split(", ") if made}
    assert len(shown) > 40
    assert shown == {edge for edge in edges if edge[1] != "make_report"}


def test_a_second_run_does_nothing_and_the_page_follows_its_tables_and_not_the_times(finished):
    stem = finished / "results/benchmarks/make_tables/tables.tsv"
    stem.write_text(stem.read_text().replace("0:", "1:"))
    targets = [f"results/tables/{name}.csv" for name in TABLES]
    assert "Nothing to be done" in snakemake(finished, "--dry-run", "--", *targets, *RELEASES, REPORT).stdout
    done = snakemake(finished, "--dry-run", "--forcerun", "make_claims_table", "--", REPORT).stdout
    assert "rule make_report" in done


@pytest.mark.browser
def test_the_page_works_in_a_browser(finished, tmp_path):
    with opened(finished / REPORT, tmp_path) as page:
        page.open()
        page.complaints(), page.asked_for()
        page.open(width="phone", dark=True)
        assert page.complaints() == []
        assert page.asked_for() == [page.path.resolve().as_uri()]
        assert page.run("return document.querySelectorAll('[data-figure] svg.marks').length") == len(FIGURES) + 1
        assert page.texts("#example h4")[:2] == ["human", "zero-shot by echo"]


def test_another_configuration_file_is_the_whole_experiment(finished):
    """Comparisons of the default experiment are not part of another file."""
    other = finished / "other.yaml"
    text = (finished / "config/config.yaml").read_text()
    other.write_text(text.split("claims:")[0])
    done = snakemake(finished, "--dry-run", "--configfile", str(other), "--", "results/tables/claims.csv", check=False)
    assert "the experiment has no 'claims' section, so claims.csv cannot be built" in done.stdout
