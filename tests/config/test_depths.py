"""Depths of rankings, and measures with a larger cutoff than the depth."""

import shutil
from pathlib import Path

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.depths import first_stage_depth, fused_depth, ranker_depth
from synthrank.config.study import Study
from synthrank.errors import ConfigError

TOY = Path(__file__).parents[1] / "toy/config"
PROJECT = Path(__file__).parents[2] / "config"


@pytest.fixture
def folder(tmp_path):
    """The toy configuration. Corpus gardens states 60 passages, kitchens no number."""
    config = Path(shutil.copytree(TOY, tmp_path / "config"))
    for kind in ("prompts", "paradigms"):
        shutil.copytree(PROJECT / kind, config / kind, dirs_exist_ok=True)
    return config


def study(folder, **change):
    return Study(folder, read_yaml(folder / "config.yaml") | change)


def write(folder, name, text):
    (folder / name).write_text(text)


def test_depths_of_systems_on_test_sets(folder):
    write(folder, "retrievers/theirs.yaml", "kind: recorded\nfile: x\ndepth: 1000\n")
    write(folder, "retrievers/all.yaml", "kind: bm25\ndepth: 60\n")
    write(folder, "testsets/own.yaml", "corpus: kitchens\nsplit: test\ndrop_identical_ids: true\n")
    write(folder, "testsets/others.yaml", "corpus: kitchens\nsplit: test\nfirst_stage: theirs\ndepth: 5\n")
    write(folder, "testsets/deep.yaml", "corpus: gardens\nsplit: test\nfirst_stage: all\ndepth: 90\n")
    made = study(folder)
    assert first_stage_depth(made, "bm25", "gardens") == "20"
    assert first_stage_depth(made, "bm25", "own") == "19", "the passage with the query's id is removed"
    assert first_stage_depth(made, "bm25-warm", "kitchens") == "12", "12 of 20 are reranked"
    assert first_stage_depth(made, "theirs", "kitchens") == "listed"
    assert first_stage_depth(made, "all", "gardens") == "whole"
    assert ranker_depth(made, "bi-encoder", "gardens") == "20"
    assert ranker_depth(made, "cross-encoder", "gardens") == "10"
    assert fused_depth(made, "cross-encoder", "gardens") == "20", "fusion uses the whole ranking of the first stage"
    assert ranker_depth(made, "cross-encoder", "others") == fused_depth(made, "cross-encoder", "others") == "listed"
    assert ranker_depth(made, "cross-encoder", "deep") == fused_depth(made, "cross-encoder", "deep") == "whole"


CLAIMS = {
    "measure": "Recall@100", "margin": 0.05, "over": ["queries"],
    "claims": {"gain": {"statement": "x", "expects": "gain", "distribution": "ood", "treatment": ["enriched"],
                        "control": "human", "rankers": ["bi-encoder"]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"bias": {"suites": ["mixed"], "measure": "P@11"}},
            "bias.measure: the cutoff of 'P@11' exceeds depth 10 of ranker 'cross-encoder' on test set 'gardens-mixed'",
        ),
        (
            {"claims": CLAIMS},
            "claims.measure: the cutoff of 'Recall@100' exceeds depth 20 of ranker 'bi-encoder' on test set 'gardens'",
        ),
        (
            {"twolar": {"recipes": ["order"], "llms": ["echo"], "rankers": ["student"], "measures": ["nDCG@11"]}},
            "twolar.measures: the cutoff of 'nDCG@11' exceeds depth 10 of ranker 'student' on test set 'gardens'",
        ),
    ],
)
def test_a_cutoff_beyond_the_depth_of_a_ranker_is_refused(folder, change, message):
    with pytest.raises(ConfigError) as error:
        study(folder, **change)
    assert str(error.value) == f"experiment: {message}; lower the cutoff or raise the depth"


def test_a_selection_with_a_cutoff_beyond_its_depth_is_refused(folder):
    path = folder / "rankers/warm.yaml"
    chosen = "{learning_rates: [1.0e-3], epochs: [1], retriever: bm25, depth: 5, measure: nDCG@10}"
    path.write_text(path.read_text() + f"selection: {chosen}\n")
    with pytest.raises(ConfigError, match=r"warm\.yaml:\d+: selection: the cutoff of measure nDCG@10 exceeds depth 5"):
        study(folder)
