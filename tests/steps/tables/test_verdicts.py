"""Verdicts on claims, at their boundaries, and their reasons."""

import itertools

import pytest

from synthrank.steps.tables.claims import ClaimRow
from synthrank.steps.tables.verdicts import VERDICTS, explain_verdict, nearer_margin, verdict

EXPECTS = ("gain", "loss", "non-inferiority", "equivalence", "no-gain")


def row(expects, effect, p_family, p_equivalent=0.5, gain=0.2, p_gain=0.001, margin=0.03, alpha=0.05):
    return ClaimRow(
        claim="c", statement="s", ranker="r", distribution="id", testsets="t", treatment="a", control="b",
        measure="AP", expects=expects, effect=effect, ci_low=effect - 0.01, ci_high=effect + 0.01, by_llm="", p=0.04,
        p_randomisation=0.04, p_test=0.02, p_family=p_family, p_equivalent=p_equivalent, gate="human", gain=gain,
        gain_low=gain - 0.01, gain_high=gain + 0.01, p_gain=p_gain, verdict="", why="", seeds=5, queries=9,
        over="queries and seeds", margin=margin, alpha=alpha, family=4, permutations=100, confidence=0.95,
        e=None, first_look=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (row("gain", 0.1, 0.049), "supported"),
        (row("gain", 0.1, 0.05), "undecided"),
        (row("gain", -0.1, 0.049), "contradicted"),
        (row("gain", -0.1, 0.05), "undecided"),
        (row("loss", -0.1, 0.049), "supported"),
        (row("loss", 0.1, 0.049), "contradicted"),
        (row("gain", 0.02, 0.001, p_equivalent=0.049), "equivalent"),
        (row("gain", 0.02, 0.001, p_equivalent=0.05), "supported"),
        (row("loss", 0.02, 0.9, p_equivalent=0.049), "equivalent"),
        (row("non-inferiority", 0.5, 0.001, p_equivalent=0.001), "supported"),
        (row("non-inferiority", 0.0, 0.001, p_equivalent=0.06), "supported"),
        (row("non-inferiority", -0.02, 0.049), "supported"),
        (row("non-inferiority", -0.04, 0.049, p_equivalent=0.049), "contradicted"),
        (row("non-inferiority", -0.04, 0.05, p_equivalent=0.05), "undecided"),
        (row("non-inferiority", 0.01, 0.01, p_equivalent=0.01), "equivalent"),
        (row("equivalence", 0.01, 0.01, p_equivalent=0.01), "equivalent"),
        (row("equivalence", 0.01, 0.05, p_equivalent=0.05), "undecided"),
        (row("equivalence", 0.1, 0.01, p_equivalent=0.01), "contradicted"),
        (row("equivalence", -0.1, 0.01, p_equivalent=0.01), "contradicted"),
        (row("no-gain", -0.5, 0.01), "supported"),
        (row("no-gain", 0.02, 0.01, p_equivalent=0.06), "supported"),
        (row("no-gain", 0.1, 0.01), "contradicted"),
        (row("no-gain", 0.1, 0.05), "undecided"),
        (row("gain", 0.1, 0.001, gain=0.04, p_gain=0.05), "insensitive"),
        (row("gain", 0.1, 0.001, gain=0.04, p_gain=0.049), "supported"),
        (row("equivalence", 0.0, 0.001, p_equivalent=0.001, gain=-0.3, p_gain=1.0), "insensitive"),
        (row("gain", 0.1, 0.001, gain=-0.3, p_gain=0.001), "insensitive"),
    ],
)
def test_verdict_at_its_boundaries(case, expected):
    assert verdict(case) == expected


EFFECTS = (-0.5, -0.031, -0.03, -0.01, 0.0, 0.01, 0.03, 0.031, 0.5)


@pytest.mark.parametrize(("expects", "effect"), itertools.product(EXPECTS, EFFECTS))
def test_verdict_is_undecided_if_no_p_is_small(expects, effect):
    """The adjusted p of the table decides for and against a claim."""
    assert verdict(row(expects, effect, p_family=1.0, p_equivalent=1.0)) == "undecided"


@pytest.mark.parametrize("effect", [effect for effect in EFFECTS if effect > 0])
def test_verdict_supports_non_inferiority_of_a_positive_effect(effect):
    assert verdict(row("non-inferiority", effect, 1e-5, p_equivalent=1e-5)) in ("supported", "equivalent")


@pytest.mark.parametrize(("expects", "effect"), itertools.product(EXPECTS, (-0.029, 0.0, 0.029)))
def test_verdict_is_equivalent_within_the_margin_for_any_p(expects, effect):
    for p in (1e-5, 0.2, 1.0):
        assert verdict(row(expects, effect, p, p_equivalent=0.01)) == "equivalent"


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (row("gain", 0.1, 0.01), "The effect of +0.1000 [+0.0900, +0.1100] is above 0 (adjusted p .010), and "
         "the claim expects a gain."),
        (row("non-inferiority", -0.1, 0.01), "The effect of -0.1000 [-0.1100, -0.0900] is below -0.03 (adjusted "
         "p .010), but the claim expects no loss as large as the margin."),
        (row("gain", 0.01, 0.2, p_equivalent=0.02), "The effect of +0.0100 [+0.0000, +0.0200] is within the margin "
         "of 0.03 (adjusted p .020), so the difference that the claim expects is too small to count."),
        (row("equivalence", 0.01, 0.02, p_equivalent=0.02), "The effect of +0.0100 [+0.0000, +0.0200] is within the "
         "margin of 0.03 (adjusted p .020), as the claim expects."),
        (row("loss", 0.01, 0.2), "The effect of +0.0100 [+0.0000, +0.0200] does not differ significantly from 0 "
         "(adjusted p .200) and is not significantly within the margin of 0.03 (adjusted p .500)."),
        (row("gain", 0.1, 0.01, gain=0.02, p_gain=0.6), "Training on human changed the untrained ranker by +0.0200 "
         "[+0.0100, +0.0300], which does not significantly exceed the margin of 0.03 (adjusted p .600), so this ranker "
         "cannot distinguish training sets here."),
    ],
)  # fmt: skip
def test_explain_verdict_states_the_reason(case, expected):
    judged = ClaimRow(**{**{name: getattr(case, name) for name in ClaimRow.__slots__}, "verdict": verdict(case)})
    assert explain_verdict(judged) == expected
    assert judged.verdict in VERDICTS


def test_nearer_margin_has_the_sign_of_the_effect():
    assert [nearer_margin(effect, 0.1) for effect in (-0.3, 0.0, 0.2)] == [-0.1, 0.1, 0.1]
