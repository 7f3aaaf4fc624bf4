"""Step make_claims_table: test the claims of the experiment as one family."""

import json
from collections.abc import Sequence
from pathlib import Path

from synthrank.config.base import validate
from synthrank.config.distribution import TITLES, Places
from synthrank.config.experiment import Claims, Intervals
from synthrank.errors import ConfigError
from synthrank.stats.score_matrix import read_cells
from synthrank.steps.tables.claims import ClaimRow, claim_rows
from synthrank.steps.tables.labels import label_ranker
from synthrank.steps.tables.markdown import format_head, format_line, format_p, wrap_paragraphs
from synthrank.steps.tables.tidy_csv import write_table

FEW = 5
"""With fewer seeds, the two-way test errs by up to .078 at level .05 if seeds differ widely (docs/checks.md)."""


def make_claims_table(
    *,
    metrics: list[Path],
    answers: list[Path],
    selected: list[str],
    recipes: list[Path],
    testsets: list[Path],
    seen: list[str],
    claims: str,
    intervals: Intervals,
    scope: str,
    table: Path,
    markdown: Path,
    origins: list[str] | None = None,
) -> None:
    """Make the table as tidy CSV and as Markdown.

    Args:
        metrics: the scores of every run.
        answers: per training set, the number of its passages that answer test queries, for corpora that allow it.
        selected: sentences on the rankers whose settings were selected.
        recipes: the entity files of the recipes that claims name.
        testsets: the entity files of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another corpus; none by default.
        seen: ``RANKER=TESTSET`` for each ranker whose pretrained model was trained on the test set's corpus.
        claims: the declaration, as JSON.
        intervals: the confidence of intervals and the seed of permutations.
        scope: a sentence on the sources of variance.
        table: written: the table.
        markdown: written: its Markdown copy.

    Raises:
        ConfigError: the declaration is invalid.
        DataError: a system was not measured, or its seeds or queries differ from those of the system compared with it.
    """
    declared = _read(claims)
    rows = claim_rows(
        read_cells(metrics, [declared.measure]), Places(recipes, testsets, origins, seen), declared, intervals
    )
    page = _write_page(rows, declared, intervals)
    write_table(table, markdown, ClaimRow, rows, page, answers=answers, below=[scope, *selected])


def _read(text: str) -> Claims:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"experiment: claims: not JSON ({error}); expected an object") from error
    declared: Claims = validate(Claims, value, "experiment: claims")
    return declared


def _write_page(rows: Sequence[ClaimRow], claims: Claims, intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: the declaration, the rows, their reasons and the statements."""
    lines = ["# Claims", "", *_list_claims(rows, claims, intervals)]
    lines += format_head(
        ["claim", "distribution", "training set", "ranker", "expects", "verdict"],
        [f"effect in {claims.measure}", "p", "p, randomisation", *(["e"] if claims.first_look else []), "adjusted p",
         "p, equivalence", "gain over untrained", "seeds", "queries"],
    )  # fmt: skip
    for row in rows:
        words = row.claim, row.distribution, row.treatment, label_ranker(row.ranker), row.expects, row.verdict
        effect = f"{row.effect:+.4f} [{row.ci_low:+.4f}, {row.ci_high:+.4f}]"
        gain = f"{row.gain:+.4f} [{row.gain_low:+.4f}, {row.gain_high:+.4f}]"
        evidence = [] if row.e is None else [f"{row.e:.3g}"]
        unadjusted, corrected = (row.p, row.p_randomisation), (row.p_family, row.p_equivalent)
        chances = [*map(format_p, unadjusted), *evidence, *map(format_p, corrected)]
        lines.append(format_line([*words, effect, *chances, gain, str(row.seeds), str(row.queries)]))
    lines += ["", "## Reasons", ""]
    for row in rows:
        by_llm = f" By LLM: {row.by_llm}." if row.by_llm else ""
        lines += wrap_paragraphs(
            f"**{row.claim}**, {row.treatment}, {row.ranker}, {TITLES[row.distribution].lower()}: **{row.verdict}**. "
            f"{row.why}{by_llm}"
        )
    lines += ["## Statements", ""]
    for name, claim in claims.claims.items():
        of_claim = [row for row in rows if row.claim == name]
        tested = {TITLES[row.distribution].lower(): row.testsets for row in of_claim}
        places = "; ".join(f"{place}: {testsets}" for place, testsets in tested.items())
        lines += wrap_paragraphs(
            f"**{name}** ({claim.expects}): {claim.statement}. Training sets: {', '.join(claim.treatment)}, each "
            f"against {claim.control}; {places}."
        )
    return lines


def _list_claims(rows: Sequence[ClaimRow], claims: Claims, intervals: Intervals) -> list[str]:
    margin = f"{claims.margin:g} {claims.measure}"
    seeds = max(row.seeds for row in rows)
    return wrap_paragraphs(
        f"The experiment declares one family of {len(rows)} rows of {len(claims.claims)} claims: measure "
        f"{claims.measure}, margin {margin}, alpha {claims.alpha:g} for the whole family, {claims.permutations:,} "
        f"permutations, random seed {intervals.seed}. Training seeds: {seeds}. {_describe_variance(claims, seeds)}",
        "The effect is the mean of the treatment minus the mean of the control. Scores are averaged over the LLMs of a "
        "training set, per seed and query, so conclusions apply to these LLMs together. Over several test sets, the "
        "effect is the mean of their effects. Results in and out of distribution are never averaged.",
        f"p: two-sided, against no difference, by the two-way test over queries and seeds (quasi-F, Clark 1973, with "
        f"Satterthwaite's degrees of freedom). [{intervals.confidence:.0%} interval]: the differences that this test "
        "does not reject, not adjusted for the family. p, randomisation: a paired test that flips whole queries with "
        f"all their seeds. {_describe_adjustment(claims)}",
        "Gain over untrained: the mean of the ranker trained on human passages (the claim's control or gate) minus the "
        f"mean of the untrained ranker. A row is insensitive unless this gain exceeds the margin of {margin}, "
        "one-sided, adjusted for all such tests.",
        "Equivalent: the effect is significantly within the margin by two one-sided tests, for any expectation. "
        "Otherwise supported or contradicted: the adjusted p of the claim's own test is below alpha, and the effect is "
        "on the side that the claim expects, or on the other side. The expected side is above 0 for a gain, below 0 "
        f"for a loss, above -{margin} for non-inferiority, and below +{margin} for no-gain. An effect beyond the "
        "margin contradicts equivalence. Otherwise undecided: the data do not decide the claim.",
    )


def _describe_adjustment(claims: Claims) -> str:
    if claims.first_look is None:
        return (
            "Adjusted p: the p of the claim's own test, against 0 or a margin, adjusted for the whole family "
            "(step-down maxT of Westfall and Young 1993, with flips of queries that all rows share)."
        )
    return (
        f"Seeds may be added: the first look had {claims.first_look} seeds. e is the e-value of the claim's own test, "
        "against 0 or a margin. A single e of 1 / alpha rejects at level alpha, with any number of seeds. Adjusted p: "
        "1 / e, adjusted for the whole family (Holm 1979). p, p by randomisation and intervals assume a fixed number "
        "of seeds and do not decide here."
    )


def _describe_variance(claims: Claims, seeds: int) -> str:
    if "seeds" not in claims.over:
        return "p and intervals account for the variance of queries, but not of training seeds."
    few = f" With fewer than {FEW} seeds, p is slightly too small if seeds differ widely." if seeds < FEW else ""
    return f"p and intervals account for the variance of queries and of training seeds.{few}"
