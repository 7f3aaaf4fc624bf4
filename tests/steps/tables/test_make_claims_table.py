"""The table of claims: averages, tests, adjustment for the family, verdicts and the Markdown copy."""

import json

import numpy as np
import pytest
from passage_case import scores, values, write_entities, write_metrics
from scipy import stats
from statsmodels.stats.multitest import multipletests

from synthrank.errors import ConfigError, DataError
from synthrank.stats.anytime import e_value
from synthrank.stats.randomisation import randomise
from synthrank.stats.two_way import two_way
from synthrank.steps.tables.family import Hypothesis, adjust_family
from synthrank.steps.tables.make_claims_table import make_claims_table

COLUMNS = (
    "claim statement ranker distribution testsets treatment control measure expects effect ci_low ci_high by_llm p "
    "p_randomisation p_test p_family p_equivalent e gate gain gain_low gain_high p_gain verdict why seeds queries over "
    "margin alpha family permutations confidence first_look"
).split()
PLACES = {"id": ["home"], "ood": ["moss", "fern"]}
GAINS = {"none": -0.3, "human": 0.0, "zero": 0.2, "both": 0.004, "levels": -0.2}
SEEDS = ("1", "2", "3", "4", "5")


def gain_of(recipe, llm):
    return GAINS[recipe] + (0.02 if llm == "gpt" else 0)


def llms_of(recipe):
    return ("none",) if recipe in ("human", "none") else ("echo", "gpt")


FILES = [
    scores(ranker, recipe, llm, seeds=SEEDS, gain=gain_of(recipe, llm), spread=0.02)
    for ranker in ("be", "ce") for recipe in GAINS for llm in llms_of(recipe)
]  # fmt: skip


def claim(expects="gain", distribution="ood", treatment=("zero",), control="human", rankers=("ce",), **more):
    return {"statement": f"so {expects}", "expects": expects, "distribution": distribution,
            "treatment": list(treatment), "control": control, "rankers": list(rankers), **more}  # fmt: skip


@pytest.fixture
def make(tmp_path, table_of):
    recipes, testsets = write_entities(tmp_path)

    def do(claims, files=FILES, testsets=testsets, **more):
        declared = {"margin": 0.05, "permutations": 3000, **more, "claims": claims}
        return table_of(make_claims_table, metrics=write_metrics(tmp_path / "metrics", files), recipes=recipes,
                        testsets=testsets, claims=json.dumps(declared))  # fmt: skip

    return do


def expected(recipe, ranker, testset, measure="nDCG@10"):
    """Return the mean over LLMs of a recipe's values, shape (seeds, queries)."""
    return np.mean(
        [[values(ranker, recipe, llm, seed, testset, measure, gain_of(recipe, llm), 0.02) for seed in SEEDS]
         for llm in llms_of(recipe)],
        axis=0,
    )  # fmt: skip


def less(recipe, other, ranker, testsets):
    return [expected(recipe, ranker, testset) - expected(other, ranker, testset) for testset in testsets]


def test_claims_table_has_a_row_per_claim_treatment_distribution_and_ranker(make):
    """Only LLMs and the test sets of one distribution are averaged."""
    rows, _ = make({"one": claim(rankers=("ce", "be")), "two": claim("loss", "both", ("levels", "both"))})
    assert list(rows[0]) == [name for name in COLUMNS if name not in ("e", "first_look")], "empty columns are left out"
    assert [(row["claim"], row["treatment"], row["testsets"], row["ranker"]) for row in rows] == [
        ("one", "zero", "moss fern", "ce"), ("one", "zero", "moss fern", "be"),
        ("two", "levels", "home", "ce"), ("two", "levels", "moss fern", "ce"),
        ("two", "both", "home", "ce"), ("two", "both", "moss fern", "ce"),
    ]  # fmt: skip
    declared = {"statement": "so loss", "measure": "nDCG@10", "margin": "0.0500", "alpha": "0.0500", "family": "6",
                "permutations": "3000", "confidence": "0.9000", "seeds": "5", "control": "human", "gate": "human",
                "over": "queries and seeds"}  # fmt: skip
    assert {key: rows[2][key] for key in declared} == declared
    assert [row["queries"] for row in rows] == ["13", "13", "8", "13", "8", "13"]


@pytest.mark.parametrize("distribution", ["id", "ood"])
@pytest.mark.parametrize(
    ("expects", "point"),
    [("gain", 0), ("loss", 0), ("non-inferiority", -0.05), ("no-gain", 0.05), ("equivalence", -0.05)],
)
def test_claims_table_effects_intervals_and_p_equal_the_statistics(make, expects, point, distribution):
    """LLMs of a recipe have equal weights; p uses all seeds and the point of the claim."""
    (row,), _ = make({"one": claim(expects, distribution, ("levels",), rankers=("be",))})
    arrays = less("levels", "human", "be", PLACES[distribution])
    found = two_way([array[None] for array in arrays])
    effect = np.mean([array.mean() for array in arrays])
    assert float(row["effect"]) == pytest.approx(effect, abs=5.1e-5)
    assert [float(row["ci_low"]), float(row["ci_high"])] == pytest.approx(found.interval(0.9)[0], abs=5.1e-5)
    assert float(row["p"]) == pytest.approx(found.p()[0], abs=5.1e-7)
    assert float(row["p_test"]) == pytest.approx(found.p(point)[0], abs=5.1e-7)
    chance = randomise([array[None] for array in arrays], 3000, 3)[0].two_sided
    assert float(row["p_randomisation"]) == pytest.approx(chance, abs=5.1e-7)
    trained = two_way([array[None] for array in less("human", "none", "be", PLACES[distribution])])
    assert float(row["gain"]) == pytest.approx(trained.mean[0], abs=5.1e-5)
    assert [float(row["gain_low"]), float(row["gain_high"])] == pytest.approx(trained.interval(0.9)[0], abs=5.1e-5)


def test_claims_table_effect_is_the_mean_of_the_effects_by_llm(make):
    (row, human), text = make(
        {"one": claim(), "two": claim("loss", control="zero", treatment=("human",), gate="human")}
    )
    by_llm = dict(part.split(" ") for part in row["by_llm"].split("; "))
    assert list(by_llm) == ["echo", "gpt"]
    assert float(by_llm["gpt"]) - float(by_llm["echo"]) == pytest.approx(0.02, abs=0.02)
    assert np.mean([float(effect) for effect in by_llm.values()]) == pytest.approx(float(row["effect"]), abs=1e-4)
    assert human["by_llm"] == "", "human passages have no LLM"
    assert float(human["effect"]) == pytest.approx(-float(row["effect"]), abs=1e-4)
    assert f"By LLM: {row['by_llm']}." in " ".join(text.split())


def test_all_rows_are_one_family(make):
    """All rows, at their points and their margins, are adjusted together with common flips."""
    claims = {"a": claim(rankers=("ce", "be")), "b": claim("equivalence", "both", ("both",)),
              "c": claim("no-gain", "id")}  # fmt: skip
    rows, _ = make(claims)
    assert {row["family"] for row in rows} == {"5"}
    hypotheses = []
    for column in ("point", "margin"):
        for row in rows:
            names = row["testsets"].split()
            arrays = less(row["treatment"], "human", row["ranker"], names)
            nearer = 0.05 if float(row["effect"]) >= 0 else -0.05
            point = {"gain": 0.0, "no-gain": 0.05}.get(row["expects"], nearer) if column == "point" else nearer
            p = float(two_way([array[None] for array in arrays]).p(point)[0])
            hypotheses.append(Hypothesis(dict(zip(names, arrays, strict=True)), point, p))
    found = adjust_family(hypotheses, 3000, 3)
    shown = [float(row[column]) for column in ("p_family", "p_equivalent") for row in rows]
    assert shown == pytest.approx(found, abs=5.1e-7)
    assert all(float(row["p_family"]) >= float(row["p_test"]) for row in rows)


@pytest.mark.parametrize(
    ("expects", "treatment", "expected_verdict"),
    [("gain", "zero", "supported"), ("gain", "levels", "contradicted"), ("gain", "both", "equivalent"),
     ("loss", "levels", "supported"), ("loss", "zero", "contradicted"), ("loss", "both", "equivalent"),
     ("equivalence", "both", "equivalent"), ("equivalence", "zero", "contradicted"),
     ("equivalence", "levels", "contradicted"), ("non-inferiority", "zero", "supported"),
     ("non-inferiority", "levels", "contradicted"), ("non-inferiority", "both", "equivalent"),
     ("no-gain", "levels", "supported"), ("no-gain", "zero", "contradicted"), ("no-gain", "both", "equivalent")],
)  # fmt: skip
def test_claims_table_verdict_follows_from_effect_and_expectation(make, expects, treatment, expected_verdict):
    (row,), text = make({"one": claim(expects, "ood", (treatment,))})
    assert row["verdict"] == expected_verdict
    assert f"| one | ood | {treatment} | ce | {expects} | {expected_verdict} |" in text
    assert row["why"] in " ".join(text.split())


def test_without_a_gain_over_the_untrained_ranker_every_row_is_insensitive(make):
    """If training does not help a ranker, the effect of a training set is not interpreted, however large."""
    files = [rows for rows in FILES if rows[0].recipe != "none"]
    files += [scores("ce", "none", "none", seeds=SEEDS, gain=-0.04, spread=0.02)]
    rows, _ = make({"one": claim("gain", "both", ("zero", "levels"))}, files=files)
    assert [row["verdict"] for row in rows] == ["insensitive"] * 4
    assert all(float(row["p_family"]) < 0.05 <= float(row["p_gain"]) for row in rows)
    assert rows[0]["why"].startswith(f"Training on human changed the untrained ranker by {float(rows[0]['gain']):+.4f}")


def test_claims_table_gate_is_one_sided_against_the_margin(make):
    (row,), _ = make({"one": claim(distribution="id")}, margin=0.29)
    array = less("human", "none", "ce", ["home"])[0]
    by_hand = two_way([array[None]])
    p = stats.t.sf((by_hand.mean[0] - 0.29) / by_hand.error[0], by_hand.freedom[0])
    assert float(row["p_gain"]) >= p
    assert adjust_family([Hypothesis({"home": array}, 0.29, p)], 3000, 3, one_sided=True)[0] == pytest.approx(
        float(row["p_gain"]), abs=5.1e-7
    )


def test_claims_table_over_queries_averages_seeds(make):
    (row,), text = make({"one": claim(distribution="id")}, over=["queries"])
    by_query = less("zero", "human", "ce", ["home"])[0].mean(axis=0)
    assert float(row["p"]) == pytest.approx(stats.ttest_1samp(by_query, 0).pvalue, abs=5.1e-7)
    assert (row["over"], row["seeds"]) == ("queries", "5")
    assert "p and intervals account for the variance of queries, but not of training seeds." in " ".join(text.split())


def test_claims_table_with_a_first_look_decides_by_e_values(make):
    """Adjusted p are 1 / e adjusted by Holm's method, for claims, for the nearer margins and for gates."""
    declared = {"one": claim("loss", "id", ("levels",), rankers=("be",)), "two": claim("no-gain", "ood", ("both",))}
    rows, text = make(declared, first_look=3)
    effects = [less("levels", "human", "be", PLACES["id"]), less("both", "human", "ce", PLACES["ood"])]
    points = [0.0, 0.05, -0.05, 0.05]
    e = [e_value(effects[place % 2], 3, point) for place, point in enumerate(points)]
    adjusted_p = multipletests([min(1, 1 / value) for value in e], method="holm")[1]
    assert [float(row["e"]) for row in rows] == pytest.approx(e[:2], rel=1e-3)
    assert [float(row["p_family"]) for row in rows] == pytest.approx(adjusted_p[:2], abs=5.1e-7)
    assert [float(row["p_equivalent"]) for row in rows] == pytest.approx(adjusted_p[2:], abs=5.1e-7)
    gates = [less("human", "none", ranker, PLACES[place]) for ranker, place in (("be", "id"), ("ce", "ood"))]
    of_gates = multipletests([1 / e_value(values, 3, 0.05) for values in gates], method="holm")[1]
    assert [float(row["p_gain"]) for row in rows] == pytest.approx(of_gates, abs=5.1e-7)
    assert {row["first_look"] for row in rows} == {"3"}
    assert "Seeds may be added: the first look had 3 seeds." in " ".join(text.split())
    plain, _ = make(declared)
    assert {row["e"] + row["first_look"] for row in plain} == {""}


def test_claims_table_p_gain_is_1_for_a_gain_below_the_margin(make):
    (row,), _ = make({"one": claim(distribution="id")}, margin=0.9, first_look=2)
    assert float(row["gain"]) < 0.9
    assert (row["p_gain"], row["verdict"]) == ("1.000000", "insensitive")


def test_claims_table_refuses_fewer_seeds_than_the_first_look(make):
    with pytest.raises(DataError, match=r"share 5 training seeds, but claims\.first_look is 6; train both"):
        make({"one": claim()}, first_look=6)


@pytest.mark.parametrize("queries", [1, 2])
def test_claims_table_with_one_or_two_queries_is_undecided_with_a_reason(make, queries):
    """One query has no variance to test with, however large the effect."""
    files = [[score for score in rows if int(score.query_id.rsplit("-")[-1]) < queries] for rows in FILES]
    rows, _ = make({"one": claim(rankers=("ce", "be")), "two": claim("no-gain", "id", ("both",))}, files)
    assert {row["verdict"] for row in rows} <= {"undecided", "insensitive"}
    assert all(row["why"] for row in rows)
    if queries == 1:
        assert {(row["p"], row["p_family"], row["p_equivalent"]) for row in rows} == {("1.000000",) * 3}


def test_claims_table_markdown_declares_the_family(make):
    rows, text = make({"one": claim(rankers=("ce", "be")), "two": claim("no-gain", "both", ("both",))}, alpha=0.1)
    joined = " ".join(text.split())
    assert text.startswith("# Claims\n\n")
    for part in (
        "one family of 4 rows of 2 claims: measure nDCG@10, margin 0.05 nDCG@10, alpha 0.1 for the whole family",
        "3,000 permutations", "random seed 3", "Training seeds: 5", "[90% interval]", "step-down maxT",
        "p and intervals account for the variance of queries and of training seeds.", "A row is insensitive unless",
        "**two** (no-gain): so no-gain. Training sets: both, each against human; in distribution: home; out of "
        "distribution: moss fern.",
    ):  # fmt: skip
        assert part in joined, part
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 4
    for row, line in zip(rows, lines[2:], strict=True):
        assert f"| {float(row['effect']):+.4f} [{float(row['ci_low']):+.4f}, {float(row['ci_high']):+.4f}] |" in line


def test_claims_table_markdown_warns_of_few_seeds(make):
    files = [[score for score in rows if score.seed in SEEDS[:3]] for rows in FILES]
    assert "With fewer than 5 seeds, p is slightly too small" in " ".join(make({"one": claim()}, files)[1].split())


def test_claims_table_uses_the_declared_measure(make):
    (row,), _ = make({"one": claim("gain", "id")}, measure="AP")
    difference = expected("zero", "ce", "home", "AP") - expected("human", "ce", "home", "AP")
    assert float(row["effect"]) == pytest.approx(difference.mean(), abs=5.1e-5)


def test_claims_table_refuses_missing_or_unequal_scores(make):
    with pytest.raises(
        DataError, match=r"^results/metrics: no scores of ranker 'ce' trained on recipe 'zero', which a"
    ):
        make({"one": claim()}, files=[rows for rows in FILES if rows[0].recipe != "zero"])
    elsewhere = [rows for rows in FILES if rows[0].recipe != "zero"]
    with pytest.raises(DataError, match=r"^results/metrics: nDCG@10 of ce/zero/echo on moss is missing"):
        make({"one": claim()}, files=[*elsewhere, scores("ce", "zero", "echo", testsets=["home"])])
    with pytest.raises(DataError, match="seeds or queries differ between the runs to average; remove"):
        make({"one": claim()}, files=[*FILES, scores("ce", "zero", "third")])
    with pytest.raises(DataError, match=r"^results/metrics: .* of ce/none/none on moss is missing, and the table"):
        make({"one": claim()}, files=[rows for rows in FILES if rows[0].recipe != "none"])


def test_claims_table_refuses_a_distribution_without_a_test_set(make, tmp_path):
    with pytest.raises(DataError, match=r"^config: claims: one: the experiment has no ood test set for recipe 'zero'"):
        make({"one": claim()}, testsets=[tmp_path / "testsets/home.yaml"])


@pytest.mark.parametrize(
    "text",
    ["{", '{"margin": 0.1}', '{"margin": 0.1, "claims": {"a": {"expects": "hope"}}}',
     json.dumps({"margin": 0, "claims": {"a": claim()}}),
     json.dumps({"margin": 0.1, "over": ["seeds"], "claims": {"a": claim()}}),
     json.dumps({"margin": 0.1, "claims": {"a": claim(distribution="all")}}),
     json.dumps({"margin": 0.1, "claims": {"a": claim(control=["human", "zero"])}})],
)  # fmt: skip
def test_claims_table_refuses_an_invalid_declaration(text, table_of):
    with pytest.raises(ConfigError, match=r"^experiment: claims: ") as error:
        table_of(make_claims_table, metrics=[], recipes=[], testsets=[], claims=text)
    assert all(line.startswith("experiment: claims: ") for line in str(error.value).splitlines())
