"""Claims: what is averaged, which test each makes, how they are adjusted together, and when one is supported."""

import csv
import json

import numpy as np
import pytest
from passage_case import scores, values, write_entities, write_metrics

from synthrank.errors import ConfigError, DataError
from synthrank.specs.experiment import Intervals
from synthrank.tables.bootstrap import interval_of_means
from synthrank.tables.claims import Row, p_of, verdict
from synthrank.tables.holm import holm
from synthrank.tables.make_claims_table import make_claims_table
from synthrank.tables.randomisation import Chance, randomise

COLUMNS = (
    "claim statement ranker distribution testsets treatment control measure expects effect ci_low ci_high p p_test "
    "p_holm verdict seeds queries margin alpha family permutations resamples confidence"
).split()
PLACES = {"id": ["home"], "ood": ["moss", "fern"], "all": ["home", "moss", "fern"]}
GAINS = {"human": 0.0, "zero": 0.2, "both": 0.004, "levels": -0.2}
FILES = [
    scores(ranker, recipe, llm, seeds=("1", "2", "3"), gain=gain + (0.02 if llm == "gpt" else 0))
    for ranker in ("be", "ce") for recipe, gain in GAINS.items()
    for llm in (("none",) if recipe == "human" else ("echo", "gpt"))
]  # fmt: skip


def claim(expects="gain", distribution="ood", treatment=("zero",), control=("human",), rankers=("ce",)):
    return {"statement": f"so {expects}", "expects": expects, "distribution": distribution,
            "treatment": list(treatment), "control": list(control), "rankers": list(rankers)}  # fmt: skip


@pytest.fixture
def make(tmp_path):
    recipes, testsets = write_entities(tmp_path)

    def do(claims, files=FILES, testsets=testsets, **more):
        declared = {"margin": 0.05, "permutations": 3000, **more, "claims": claims}
        make_claims_table(
            metrics=write_metrics(tmp_path / "metrics", files), recipes=recipes, testsets=testsets,
            claims=json.dumps(declared), resamples=400, confidence=0.9, seed=3,
            table=tmp_path / "t.csv", markdown=tmp_path / "t.md",
        )  # fmt: skip
        with (tmp_path / "t.csv").open(newline="") as stream:
            return list(csv.DictReader(stream)), (tmp_path / "t.md").read_text()

    return do


def expected(recipe, ranker, testset, measure="nDCG@10"):
    """Return the mean over LLMs of a recipe's values, shape (seeds, queries)."""
    return np.mean(
        [
            [values(ranker, recipe, llm, seed, testset, measure, GAINS[recipe] + (0.02 if llm == "gpt" else 0))
             for seed in ("1", "2", "3")]
            for llm in (("none",) if recipe == "human" else ("echo", "gpt"))
        ],
        axis=0,
    )  # fmt: skip


def test_a_row_for_each_claim_and_ranker(make):
    rows, _ = make({"one": claim(rankers=("ce", "be")), "two": claim("loss", "id", ("levels", "both"))})
    assert list(rows[0]) == COLUMNS
    assert [(row["claim"], row["ranker"]) for row in rows] == [("one", "ce"), ("one", "be"), ("two", "ce")]
    assert (rows[2]["treatment"], rows[2]["control"], rows[2]["testsets"]) == ("levels both", "human", "home")
    declared = {"statement": "so loss", "measure": "nDCG@10", "margin": "0.0500", "alpha": "0.0500", "family": "3",
                "permutations": "3000", "resamples": "400", "confidence": "0.9000", "seeds": "3"}  # fmt: skip
    assert {key: rows[2][key] for key in declared} == declared
    assert [row["queries"] for row in rows] == ["13", "13", "8"]


@pytest.mark.parametrize("distribution", ["id", "ood", "all"])
@pytest.mark.parametrize("expects", ["gain", "loss", "equivalence", "no-gain"])
def test_effects_and_p(make, expects, distribution):
    """Recipes weigh the same, and so do the LLMs of each; p is of the arrays, seeds kept."""
    (row,), _ = make({"one": claim(expects, distribution, ("both", "human"), ("human", "levels", "zero"), ("be",))})
    differences = [
        np.mean([expected(name, "be", testset) for name in ("both", "human")], axis=0)
        - np.mean([expected(name, "be", testset) for name in ("human", "levels", "zero")], axis=0)
        for testset in PLACES[distribution]
    ]
    effect = np.mean([array.mean() for array in differences])
    assert float(row["effect"]) == pytest.approx(effect, abs=5.1e-5)
    plain, raised, lowered = (
        randomise([array[None] + shift for array in differences], 3000, 3)[0] for shift in (0, 0.05, -0.05)
    )
    assert float(row["p"]) == pytest.approx(plain.two_sided, abs=5.1e-7)
    of_claim = {"equivalence": max(raised.above, lowered.below), "no-gain": lowered.below}
    assert float(row["p_test"]) == pytest.approx(of_claim.get(expects, plain.two_sided), abs=5.1e-7)
    interval = interval_of_means(
        [array[None] for array in differences], Intervals(resamples=400, confidence=0.9, seed=3)
    )
    assert [float(row["ci_low"]), float(row["ci_high"])] == pytest.approx(interval[0], abs=5.1e-5)


def test_all_rows_are_one_family(make):
    claims = {
        "a": claim(rankers=("ce", "be")),
        "b": claim("equivalence", "all", ("both",)),
        "c": claim("no-gain", "id"),
    }
    rows, _ = make(claims)
    adjusted = holm([float(row["p_test"]) for row in rows])
    assert [float(row["p_holm"]) for row in rows] == pytest.approx(adjusted, abs=1e-5)
    assert {row["family"] for row in rows} == {"4"}
    (alone,), _ = make({"b": claims["b"]})
    assert float(alone["p_holm"]) == float(alone["p_test"]) == float(rows[2]["p_test"]) < float(rows[2]["p_holm"])


@pytest.mark.parametrize(
    ("expects", "treatment", "said"),
    [("gain", "zero", "supported"), ("gain", "levels", "contradicted"), ("gain", "both", "undecided"),
     ("loss", "levels", "supported"), ("loss", "zero", "contradicted"), ("loss", "both", "undecided"),
     ("equivalence", "both", "supported"), ("equivalence", "zero", "contradicted"),
     ("equivalence", "levels", "contradicted"), ("no-gain", "both", "supported"), ("no-gain", "levels", "supported"),
     ("no-gain", "zero", "contradicted")],
)  # fmt: skip
def test_verdicts(make, expects, treatment, said):
    (row,), text = make({"one": claim(expects, "all", (treatment,))})
    assert row["verdict"] == said
    assert f"| one | ce | {expects} | {said} |" in text


def a_row(expects="gain", effect=0.1, low=0.02, high=0.2, p=0.01, p_holm=0.04, margin=0.03, alpha=0.05):
    return Row("c", "s", "r", "id", "t", "a", "b", "AP", expects, effect, low, high, p, p, p_holm, "", 3, 9,
               margin, alpha, 4, 100, 100, 0.95)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (a_row("gain", p_holm=0.05), "undecided"),
        (a_row("gain", p_holm=0.049), "supported"),
        (a_row("gain", effect=-0.1, p_holm=0.049), "contradicted"),
        (a_row("gain", effect=-0.1, p_holm=0.2), "undecided"),
        (a_row("loss", effect=-0.1), "supported"),
        (a_row("loss", effect=0.1), "contradicted"),
        (a_row("gain", effect=0.0), "undecided"),
        (a_row("equivalence", low=0.031, high=0.2, p_holm=0.9), "contradicted"),
        (a_row("equivalence", low=-0.2, high=-0.031, p_holm=0.9), "contradicted"),
        (a_row("equivalence", low=0.029, high=0.2, p_holm=0.9), "undecided"),
        (a_row("equivalence", low=-0.02, high=0.02, p_holm=0.01), "supported"),
        (a_row("equivalence", low=-0.02, high=0.02, p_holm=0.06), "undecided"),
        (a_row("no-gain", effect=0.01, p_holm=0.01, p=0.001), "supported"),
        (a_row("no-gain", effect=0.01, p_holm=0.06, p=0.001), "contradicted"),
        (a_row("no-gain", effect=0.01, p_holm=0.06, p=0.05), "undecided"),
        (a_row("no-gain", effect=-0.01, p_holm=0.06, p=0.001), "undecided"),
    ],
)
def test_when_a_claim_is_supported(row, said):
    assert verdict(row) == said


def test_which_p_a_claim_takes():
    chances = Chance(0.1, 0.2, 0.3), Chance(0.11, 0.21, 0.31), Chance(0.12, 0.22, 0.32)
    found = [p_of(expects, *chances) for expects in ("gain", "loss", "equivalence", "no-gain")]
    assert found == [0.1, 0.1, 0.32, 0.32]
    assert p_of("equivalence", chances[0], Chance(0, 0.5, 0), chances[2]) == 0.5


def test_the_markdown_twin_declares_the_family(make):
    rows, text = make({"one": claim(rankers=("ce", "be")), "two": claim("no-gain", "all", ("both",))}, alpha=0.1)
    said = " ".join(text.split())
    assert text.startswith("# Claims\n\n")
    for part in (
        "one family of 3 tests, 2 claims each with its rankers; measure nDCG@10, margin 0.05 nDCG@10, alpha 0.1",
        "3,000 permutations a test", "400 resamples an interval", "random seed 3", "training seeds: 3",
        "[90% interval]", "equivalence: two one-sided tests", "no-gain: one-sided test", "gain: supported", "loss:",
        "Holm's method", "**two** (no-gain): so no-gain. Recipes: both against human; in and out of distribution: home",
    ):  # fmt: skip
        assert part in said, part
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3
    for row, line in zip(rows, lines[2:], strict=True):
        assert f"| {float(row['effect']):+.4f} [{float(row['ci_low']):+.4f}, {float(row['ci_high']):+.4f}] |" in line


def test_other_measures(make):
    (row,), _ = make({"one": claim("gain", "id")}, measure="AP")
    difference = expected("zero", "ce", "home", "AP") - expected("human", "ce", "home", "AP")
    assert float(row["effect"]) == pytest.approx(difference.mean(), abs=5.1e-5)


def test_what_was_not_measured_is_one_line(make):
    with pytest.raises(
        DataError, match=r"^results/metrics: no scores of ranker 'ce' trained on recipe 'zero', which a"
    ):
        make({"one": claim()}, files=[rows for rows in FILES if rows[0].recipe != "zero"])
    elsewhere = [rows for rows in FILES if rows[0].recipe != "zero"]
    with pytest.raises(DataError, match=r"^results/metrics: nDCG@10 of ce/zero/echo on moss is missing"):
        make({"one": claim()}, files=[*elsewhere, scores("ce", "zero", "echo", testsets=["home"])])
    with pytest.raises(DataError, match="runs that are averaged have other seeds or queries than each other; remove"):
        make({"one": claim()}, files=[*FILES, scores("ce", "zero", "third")])


def test_a_distribution_without_a_test_set_is_one_line(make, tmp_path):
    with pytest.raises(DataError, match=r"^config: claims: one: the experiment has no test set that is ood for recipe"):
        make({"one": claim()}, testsets=[tmp_path / "testsets/home.yaml"])


@pytest.mark.parametrize("text", ["{", '{"margin": 0.1}', '{"margin": 0.1, "claims": {"a": {"expects": "hope"}}}'])
def test_a_declaration_that_is_none_is_one_line(text, tmp_path):
    with pytest.raises(ConfigError, match=r"^experiment: claims: ") as error:
        make_claims_table(
            metrics=[], recipes=[], testsets=[], claims=text, resamples=9, confidence=0.9, seed=1,
            table=tmp_path / "t.csv", markdown=tmp_path / "t.md",
        )  # fmt: skip
    assert "\n" not in str(error.value)
