"""The table of claims for reading: the declaration, then one row a claim and ranker."""

from collections.abc import Sequence

from synthrank.specs.experiment import Claims, Intervals
from synthrank.tables.claims import Row, described
from synthrank.tables.pipes import chance, head, line, paragraphs
from synthrank.tables.places import TITLES


def as_markdown(rows: Sequence[Row], claims: Claims, intervals: Intervals) -> str:
    """Return the Markdown twin.

    Args:
        rows: the table.
        claims: the declaration.
        intervals: how intervals were made, and the seed of permutations.
    """
    lines = ["# Claims", "", *_declaration(rows, claims, intervals)]
    lines += head(
        ["claim", "ranker", "expects", "verdict"],
        [f"effect in {claims.measure}", "p", "p of the claim's test", "p after Holm", "seeds", "queries"],
    )
    for row in rows:
        effect = f"{row.effect:+.4f} [{row.ci_low:+.4f}, {row.ci_high:+.4f}]"
        chances = chance(row.p), chance(row.p_test), chance(row.p_holm)
        lines.append(
            line([row.claim, row.ranker, row.expects, row.verdict, effect, *chances, str(row.seeds), str(row.queries)])
        )
    lines += ["", "## Statements", ""]
    for name, claim in claims.claims.items():
        testsets = next(row.testsets for row in rows if row.claim == name)
        place = TITLES[claim.distribution].lower()
        lines += paragraphs(
            f"**{name}** ({claim.expects}): {claim.statement}. Recipes: {described(claim)}; {place}: {testsets}."
        )
    return "\n".join(lines)


def _declaration(rows: Sequence[Row], claims: Claims, intervals: Intervals) -> list[str]:
    margin = f"{claims.margin:g} {claims.measure}"
    return paragraphs(
        f"As the experiment declares them, one family of {len(rows)} tests, {len(claims.claims)} claims each with its "
        f"rankers; measure {claims.measure}, margin {margin}, alpha {claims.alpha:g} for the whole family by Holm's "
        f"method, {claims.permutations:,} permutations a test (all of them where there are no more), "
        f"{intervals.resamples:,} resamples an interval, random seed {intervals.seed}; training seeds: "
        f"{' or '.join(map(str, sorted({row.seeds for row in rows})))}.",
        "The effect is the mean of the treatment less that of the control. Scores of several recipes, and of every "
        "LLM that made them, are averaged per seed and query; over several test sets the effect is the mean of their "
        "effects.",
        f"[{intervals.confidence:.0%} interval]: percentile bootstrap of the effect, queries and seeds resampled, "
        "and not adjusted for the family. p: paired randomisation test, two-sided, that flips whole queries with all "
        "their seeds; with several seeds its statistic is the mean over a standard error that counts queries and "
        "seeds as clusters. With fewer than about five seeds it is approximate.",
        "gain: supported if the effect is above 0 and its p after Holm is below alpha, contradicted if it is below 0 "
        "and as sure; loss: the same with the signs turned.",
        f"equivalence: two one-sided tests against -{margin} and +{margin}, of which the larger p counts; supported "
        "if it is below alpha after Holm, contradicted if the interval lies wholly outside the margin.",
        f"no-gain: one-sided test against a gain of {margin} or more; supported if its p is below alpha after Holm, "
        "contradicted if it is not, the effect is above 0 and the two-sided p, not adjusted, is below alpha.",
        "Else a claim is undecided, which is no evidence for it and none against it.",
    )
