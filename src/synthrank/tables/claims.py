"""The rows of the table of claims: each claim of the declared family, tested with each of its rankers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from synthrank.errors import DataError
from synthrank.specs.experiment import Claim, Claims, Intervals
from synthrank.tables.bootstrap import interval_of_means
from synthrank.tables.cells import Cell, Cells, System, cell_of
from synthrank.tables.holm import holm
from synthrank.tables.paired import differences, mean_of
from synthrank.tables.places import Places
from synthrank.tables.randomisation import Chance, randomise

Expects = Literal["gain", "loss", "equivalence", "no-gain"]


@dataclass(frozen=True, slots=True)
class Row:
    """One claim with one ranker; from ``margin`` on the declaration of the family, the same in every row.

    ``effect`` is the treatment's mean less the control's, ``p`` of the test against no difference, ``p_test`` of the
    test that the claim makes, ``p_holm`` that one adjusted for the whole family.
    """

    claim: str
    statement: str
    ranker: str
    distribution: str
    testsets: str
    treatment: str
    control: str
    measure: str
    expects: Expects
    effect: float
    ci_low: float
    ci_high: float
    p: float
    p_test: float
    p_holm: float
    verdict: str
    seeds: int
    queries: int
    margin: float
    alpha: float
    family: int
    permutations: int
    resamples: int
    confidence: float


def claim_rows(cells: Cells, places: Places, claims: Claims, intervals: Intervals) -> list[Row]:
    """Return a row for each claim and ranker, in the order of the declaration.

    Raises:
        DataError: a system was not measured, or not with the same seeds and queries as what it is compared with.
    """
    rows = list(_tested(cells, places, claims, intervals))
    rows = [
        replace(row, p_holm=p, family=len(rows))
        for row, p in zip(rows, holm([row.p_test for row in rows]), strict=True)
    ]
    return [replace(row, verdict=verdict(row)) for row in rows]


def _tested(cells: Cells, places: Places, claims: Claims, intervals: Intervals) -> Iterator[Row]:
    """Yield each row with its p, not adjusted and not judged."""
    for name, claim in claims.claims.items():
        testsets = places.of(claim.treatment[0], claim.distribution)
        if not testsets:
            raise DataError(
                f"config: claims: {name}: the experiment has no test set that is {claim.distribution} for recipe "
                f"{claim.treatment[0]!r}; add a suite with one, or leave the claim out"
            )
        for ranker in claim.rankers:
            values = differences(
                [
                    (
                        _averaged(cells, claim.treatment, ranker, testset, claims.measure),
                        _averaged(cells, claim.control, ranker, testset, claims.measure),
                    )
                    for testset in testsets
                ]
            )
            # The same flips test against no difference and, shifted, against a difference of either margin.
            shifts = np.array([0.0, claims.margin, -claims.margin])[:, None, None]
            chances = randomise([array + shifts for array in values], claims.permutations, intervals.seed)
            low, high = interval_of_means([array[None] for array in values], intervals)[0]
            yield Row(
                name, claim.statement, ranker, claim.distribution, " ".join(testsets), " ".join(claim.treatment),
                " ".join(claim.control), claims.measure, claim.expects, mean_of(values), float(low), float(high),
                chances[0].two_sided, p_of(claim.expects, *chances), 1.0, "", len(values[0]),
                sum(array.shape[1] for array in values), claims.margin, claims.alpha, 0, claims.permutations,
                intervals.resamples, intervals.confidence,
            )  # fmt: skip


def p_of(expects: Expects, plain: Chance, raised: Chance, lowered: Chance) -> float:
    """Return the p of the test that a claim makes.

    Args:
        expects: what the claim expects.
        plain: chances of the differences.
        raised: of the differences plus the margin: ``above`` is p against an effect of minus the margin or less.
        lowered: of the differences less the margin: ``below`` is p against an effect of the margin or more.

    Returns:
        Of a gain or a loss the two-sided p; of equivalence the larger p of two one-sided tests (TOST, Schuirmann
        1987); of no gain the one-sided p against an effect of the margin or more.
    """
    if expects == "equivalence":
        return max(raised.above, lowered.below)
    return lowered.below if expects == "no-gain" else plain.two_sided


def verdict(row: Row) -> str:
    """Return whether a row with its adjusted p supports its claim, contradicts it, or leaves it undecided."""
    sure = row.p_holm < row.alpha
    if row.expects == "equivalence":
        against = row.ci_low > row.margin or row.ci_high < -row.margin
    elif row.expects == "no-gain":
        against = row.effect > 0 and row.p < row.alpha
    else:
        hoped = row.effect if row.expects == "gain" else -row.effect
        against, sure = sure and hoped < 0, sure and hoped > 0
    return "supported" if sure else "contradicted" if against else "undecided"


def _averaged(cells: Cells, recipes: Sequence[str], ranker: str, testset: str, measure: str) -> Cell:
    """Return the mean, per seed and query, over recipes and over every LLM that made each of them.

    Each recipe weighs the same, however many LLMs made it.

    Raises:
        DataError: a recipe was not measured, or with other seeds or queries than the first one.
    """
    means = []
    for recipe in recipes:
        made = [cell_of(cells, system, testset, measure) for system in _by_every_llm(cells, recipe, ranker)]
        means.append(_mean(made, f"recipe {recipe!r} with ranker {ranker!r} on {testset}"))
    return _mean(means, f"recipes {', '.join(recipes)} with ranker {ranker!r} on {testset}")


def _by_every_llm(cells: Cells, recipe: str, ranker: str) -> list[System]:
    found = [system for system in cells if system[:2] == (ranker, recipe)]
    if not found:
        raise DataError(
            f"results/metrics: no scores of ranker {ranker!r} trained on recipe {recipe!r}, which a claim compares; "
            "remove their files and run again"
        )
    return found


def _mean(cells: Sequence[Cell], what: str) -> Cell:
    first = cells[0]
    if any(cell.queries != first.queries or sorted(cell.seeds) != sorted(first.seeds) for cell in cells):
        raise DataError(
            f"results/metrics: {what}: runs that are averaged have other seeds or queries than each other; remove "
            "their files and run again"
        )
    return Cell(first.queries, np.mean([cell.by_seed(first.seeds) for cell in cells], axis=0), first.seeds)


def described(claim: Claim) -> str:
    """Return in words what a claim compares."""
    return f"{' + '.join(claim.treatment)} against {' + '.join(claim.control)}"
