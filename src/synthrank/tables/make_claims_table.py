"""Step make_claims_table: what the study claims, tested as one family."""

import json
from collections.abc import Sequence
from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.places import TITLES, Places
from synthrank.specs.base import validate
from synthrank.specs.experiment import Claims, Intervals
from synthrank.tables.cells import read_cells
from synthrank.tables.claims import Row, claim_rows
from synthrank.tables.pipes import chance, head, line, paragraphs
from synthrank.tables.tidy import write_table

FEW = 5
"""With fewer seeds the two-way test errs by up to .078 at the level .05 where seeds differ widely (docs/checks.md)."""


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
    """Make the table, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run.
        answers: how many passages of each training set answer test queries, where any can.
        selected: sentences on the rankers whose settings were chosen.
        recipes: the entity files of the recipes that claims name.
        testsets: those of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
        seen: RANKER=TESTSET where a ranker's pretrained model was trained on the test set's corpus.
        claims: the declaration, as JSON.
        intervals: the confidence of intervals, and the seed of permutations.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        ConfigError: the declaration is not JSON, or not one.
        DataError: a system was not measured, or not with the same seeds and queries as what it is compared with.
    """
    declared = _read(claims)
    rows = claim_rows(
        read_cells(metrics, [declared.measure]), Places(recipes, testsets, origins, seen), declared, intervals
    )
    page = _page(rows, declared, intervals)
    write_table(table, markdown, Row, rows, page, answers=answers, below=[scope, *selected])


def _read(text: str) -> Claims:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"experiment: claims: not JSON ({error}); expected an object") from error
    declared: Claims = validate(Claims, value, "experiment: claims")
    return declared


def _page(rows: Sequence[Row], claims: Claims, intervals: Intervals) -> list[str]:
    """Return the lines for reading: the declaration, a row for each claim, training set, ranker and place, and why."""
    lines = ["# Claims", "", *_declaration(rows, claims, intervals)]
    lines += head(
        ["claim", "on", "trained on", "ranker", "expects", "verdict"],
        [f"effect in {claims.measure}", "p", "p, randomisation", *(["e"] if claims.first_look else []), "adjusted p",
         "p, equivalence", "human less untrained", "seeds", "queries"],
    )  # fmt: skip
    for row in rows:
        words = row.claim, row.distribution, row.treatment, row.ranker, row.expects, row.verdict
        effect = f"{row.effect:+.4f} [{row.ci_low:+.4f}, {row.ci_high:+.4f}]"
        gain = f"{row.gain:+.4f} [{row.gain_low:+.4f}, {row.gain_high:+.4f}]"
        evidence = [] if row.e is None else [f"{row.e:.3g}"]
        unadjusted, corrected = (row.p, row.p_randomisation), (row.p_family, row.p_equivalent)
        chances = [*map(chance, unadjusted), *evidence, *map(chance, corrected)]
        lines.append(line([*words, effect, *chances, gain, str(row.seeds), str(row.queries)]))
    lines += ["", "## Why", ""]
    for row in rows:
        by_llm = f" By LLM: {row.by_llm}." if row.by_llm else ""
        lines += paragraphs(
            f"**{row.claim}**, {row.treatment}, {row.ranker}, {TITLES[row.distribution].lower()}: **{row.verdict}**. "
            f"{row.why}{by_llm}"
        )
    lines += ["## Statements", ""]
    for name, claim in claims.claims.items():
        of_claim = [row for row in rows if row.claim == name]
        tested = {TITLES[row.distribution].lower(): row.testsets for row in of_claim}
        places = "; ".join(f"{place}: {testsets}" for place, testsets in tested.items())
        lines += paragraphs(
            f"**{name}** ({claim.expects}): {claim.statement}. Trained on: {', '.join(claim.treatment)}, each against "
            f"{claim.control}; {places}."
        )
    return lines


def _declaration(rows: Sequence[Row], claims: Claims, intervals: Intervals) -> list[str]:
    margin = f"{claims.margin:g} {claims.measure}"
    seeds = max(row.seeds for row in rows)
    return paragraphs(
        f"As the experiment declares them, one family of {len(rows)} rows of {len(claims.claims)} claims; measure "
        f"{claims.measure}, margin {margin}, alpha {claims.alpha:g} for the whole family, {claims.permutations:,} "
        f"permutations, random seed {intervals.seed}. Training seeds: {seeds}. {_speaks_of(claims, seeds)}",
        "The effect is the mean of the treatment less that of the control. Scores by every LLM that made a training "
        "set are averaged per seed and query, so that a row speaks of these LLMs together; over several test sets the "
        "effect is the mean of their effects. In and out of distribution are never averaged.",
        f"p: two-sided against no difference, of the two-way test over queries and seeds (quasi-F, Clark 1973, with "
        f"Satterthwaite's degrees of freedom); [{intervals.confidence:.0%} interval]: what that test does not reject, "
        "not adjusted for the family. p, randomisation: of a paired test that flips whole queries with all their "
        f"seeds. {_adjusted(claims)}",
        f"human less untrained: what training on human passages, the claim's control or gate, gained over the same "
        f"ranker before training. A row counts only where that exceeds the margin of {margin}, one-sided, adjusted for "
        "all such tests; else it is insensitive.",
        f"equivalent: the effect is shown to lie within {margin} either way, by two one-sided tests, whatever the "
        "claim expects. Else supported or contradicted: the adjusted p of the claim's own test is below alpha, and "
        "the effect lies on the side that the claim expects, or on the other. Of a gain or a loss that side is above "
        f"or below 0, of non-inferiority above -{margin}, of no-gain below +{margin}; equivalence is contradicted by "
        "an effect beyond either. Else undecided, which is no evidence for a claim and none against it.",
    )


def _adjusted(claims: Claims) -> str:
    if claims.first_look is None:
        return (
            "Adjusted p: of the claim's own test, against 0 or a margin, for the whole family (step-down maxT of "
            "Westfall and Young 1993 over flips of queries that all rows share)."
        )
    return (
        f"Seeds may be added: the family was first looked at with {claims.first_look}. e is the e-value of the claim's "
        "own test, against 0 or a margin; one that reaches 1 / alpha by itself rejects at level alpha, at whatever "
        "number of seeds. Adjusted p: 1 / e, for the whole family (Holm 1979). p, p by randomisation and intervals are "
        "of a fixed number of seeds and decide nothing here."
    )


def _speaks_of(claims: Claims, seeds: int) -> str:
    if "seeds" not in claims.over:
        return "p and intervals speak of other queries alone, not of other training seeds."
    few = f" With fewer than {FEW} seeds p is somewhat too small where seeds differ widely." if seeds < FEW else ""
    return f"p and intervals speak of other queries and of other training seeds.{few}"
