"""A measure that looks deeper than a system's lists has no value: R@1000 of a run of 100 is not R@1000."""

import shutil
from pathlib import Path

import pytest

from synthrank.depths import first_stage_depth, fused_depth, ranker_depth
from synthrank.errors import ConfigError
from synthrank.specs.base import read_yaml
from synthrank.study import Study

TOY = Path(__file__).parent / "toy/config"
PROJECT = Path(__file__).parents[1] / "config"


@pytest.fixture
def folder(tmp_path):
    """The toy's configuration: gardens has 60 passages, kitchens does not say how many."""
    config = Path(shutil.copytree(TOY, tmp_path / "config"))
    for kind in ("prompts", "paradigms"):
        shutil.copytree(PROJECT / kind, config / kind, dirs_exist_ok=True)
    return config


def study(folder, **change):
    return Study(folder, read_yaml(folder / "config.yaml") | change)


def write(folder, name, text):
    (folder / name).write_text(text)


def test_the_depth_of_each_system_on_a_test_set(folder):
    write(folder, "retrievers/theirs.yaml", "kind: recorded\nfile: x\ndepth: 1000\n")
    write(folder, "retrievers/all.yaml", "kind: bm25\ndepth: 60\n")
    write(folder, "testsets/own.yaml", "corpus: kitchens\nsplit: test\ndrop_identical_ids: true\n")
    write(folder, "testsets/others.yaml", "corpus: kitchens\nsplit: test\nfirst_stage: theirs\ndepth: 5\n")
    write(folder, "testsets/deep.yaml", "corpus: gardens\nsplit: test\nfirst_stage: all\ndepth: 90\n")
    made = study(folder)
    assert first_stage_depth(made, "bm25", "gardens") == "20"
    assert first_stage_depth(made, "bm25", "own") == "19", "the query's own passage is taken off the list"
    assert first_stage_depth(made, "bm25-warm", "kitchens") == "12", "12 of 20 are reordered"
    assert first_stage_depth(made, "theirs", "kitchens") == "listed"
    assert first_stage_depth(made, "all", "gardens") == "whole"
    assert ranker_depth(made, "bi-encoder", "gardens") == "20"
    assert ranker_depth(made, "cross-encoder", "gardens") == "10"
    assert fused_depth(made, "cross-encoder", "gardens") == "20", "fusion takes the whole list of the first stage"
    assert ranker_depth(made, "cross-encoder", "others") == fused_depth(made, "cross-encoder", "others") == "listed"
    assert ranker_depth(made, "cross-encoder", "deep") == fused_depth(made, "cross-encoder", "deep") == "whole"


CLAIMS = {
    "measure": "Recall@100", "margin": 0.05, "over": ["queries"],
    "claims": {"gain": {"statement": "x", "expects": "gain", "distribution": "ood", "treatment": ["enriched"],
                        "control": "human", "rankers": ["bi-encoder"]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"bias": {"suites": ["mixed"], "measure": "P@11"}},
            "bias.measure: got 'P@11', but the lists of ranker 'cross-encoder' on test set 'gardens-mixed' are 10 deep",
        ),
        (
            {"claims": CLAIMS},
            "claims.measure: got 'Recall@100', but the lists of ranker 'bi-encoder' on test set 'gardens' are 20 deep",
        ),
        (
            {"twolar": {"recipes": ["order"], "llms": ["echo"], "rankers": ["student"], "measures": ["nDCG@11"]}},
            "twolar.measures: got 'nDCG@11', but the lists of ranker 'student' on test set 'gardens' are 10 deep",
        ),
    ],
)
def test_the_one_measure_of_a_table_must_fit(folder, change, said):
    with pytest.raises(ConfigError) as error:
        study(folder, **change)
    assert str(error.value) == f"experiment: {said}; state a measure to that depth, or rank deeper"


def test_a_selection_measures_no_deeper_than_its_candidates(folder):
    path = folder / "rankers/warm.yaml"
    chosen = "{learning_rates: [1.0e-3], epochs: [1], retriever: bm25, depth: 5, measure: nDCG@10}"
    path.write_text(path.read_text() + f"selection: {chosen}\n")
    with pytest.raises(ConfigError, match=r"warm\.yaml: selection: got .*measure nDCG@10 looks deeper than depth 5"):
        study(folder)
