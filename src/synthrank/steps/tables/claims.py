"""Rows of the table of claims: one per claim, ranker, training set and distribution."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthrank.config.base import NONE
from synthrank.config.claim_rows import Member, members
from synthrank.config.distribution import Places
from synthrank.config.experiment import Claims, Intervals
from synthrank.errors import DataError
from synthrank.stats.anytime import e_value
from synthrank.stats.bootstrap import Values
from synthrank.stats.holm import holm
from synthrank.stats.paired import pair_differences
from synthrank.stats.randomisation import randomise
from synthrank.stats.score_matrix import Cell, Cells, System, find_systems, get_cell
from synthrank.stats.two_way import TwoWay, two_way
from synthrank.steps.tables.family import Hypothesis, adjust_family
from synthrank.steps.tables.verdicts import explain_verdict, nearer_margin, point_of, verdict


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim with one training set, ranker and distribution. The declaration, from ``margin`` on, is in every row.

    ``effect`` is the treatment's mean minus the control's, averaged over the treatment's LLMs; ``by_llm`` has the
    effect of each LLM if the treatment has several. ``p`` and ``p_randomisation`` test against no difference.
    ``p_test`` tests against the point of the claim, and ``p_family`` is ``p_test`` adjusted for the family.
    ``p_equivalent`` tests against the margin nearer to the effect and is adjusted too. ``e`` is the e-value against
    the point, if the declaration states a first look; adjusted p are then computed from e-values. ``gain`` is the mean
    of ``gate``, the ranker trained on human passages, minus the mean of the untrained ranker. ``p_gain`` is one-sided,
    against a gain of the margin, and adjusted for all gates.
    """

    claim: str
    statement: str
    ranker: str
    distribution: str
    testsets: str
    treatment: str
    control: str
    measure: str
    expects: str
    effect: float
    ci_low: float
    ci_high: float
    by_llm: str
    p: float
    p_randomisation: float
    p_test: float
    p_family: float
    p_equivalent: float
    e: float | None
    gate: str
    gain: float
    gain_low: float
    gain_high: float
    p_gain: float
    verdict: str
    why: str
    seeds: int
    queries: int
    over: str
    margin: float
    alpha: float
    family: int
    permutations: int
    confidence: float
    first_look: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences behind a row: of treatment and control, and of the gate and the untrained ranker."""

    member: Member
    seeds: int
    effect: Mapping[str, Values]
    by_llm: Mapping[str, float]
    gain: Mapping[str, Values]


def claim_rows(cells: Cells, places: Places, claims: Claims, intervals: Intervals) -> list[ClaimRow]:
    """Return the rows, in the order of :func:`synthrank.config.claim_rows.members`.

    Every row is tested at the point of its claim (0 or a margin) and at the margin nearer to its effect, both
    two-sided; all these hypotheses are one family. Gates are a separate family: a row is decided only if its gate and
    its own test both reject, so neither correction needs the other (an intersection-union test, Berger 1982).

    If the declaration states a first look, seeds may be added until claims are decided, and e-values replace p-values.
    1 / e is a valid p at any stopping point, and Holm's method allows any dependence between p-values.

    Raises:
        DataError: a system was not measured, or its seeds or queries differ from those of the system compared with it.
    """
    rows_of = list(list_comparisons(cells, places, claims))
    effects = [two_way([values[None] for values in item.effect.values()]) for item in rows_of]
    points = [point_of(item.member.claim.expects, float(found.mean[0]), claims.margin)
              for item, found in zip(rows_of, effects, strict=True)]  # fmt: skip
    margins = [nearer_margin(float(found.mean[0]), claims.margin) for found in effects]
    hypotheses = [
        Hypothesis(item.effect, point, float(found.p(point)[0]))
        for at in (points, margins) for item, found, point in zip(rows_of, effects, at, strict=True)
    ]  # fmt: skip
    p_of = _adjust(hypotheses, claims, intervals)
    gates = {item.member.gate: item.gain for item in rows_of}
    gains = {key: two_way([values[None] for values in gain.values()]) for key, gain in gates.items()}
    passed = _adjust(
        [Hypothesis(gain, claims.margin, float(gains[key].p_above(claims.margin)[0])) for key, gain in gates.items()],
        claims,
        intervals,
        one_sided=True,
    )
    p_gains = dict(zip(gates, passed, strict=True))
    rows = []
    for place, (item, found, point) in enumerate(zip(rows_of, effects, points, strict=True)):
        measured = _measure(item, found, point, claims, intervals)
        gain = gains[item.member.gate]
        (low, high), mean = gain.interval(intervals.confidence)[0], float(gain.mean[0])
        row = replace(
            measured, p_family=p_of[place], p_equivalent=p_of[len(rows_of) + place], p_gain=p_gains[item.member.gate],
            gain=mean, gain_low=float(low), gain_high=float(high), family=len(rows_of),
        )  # fmt: skip
        row = replace(row, verdict=verdict(row))
        rows.append(replace(row, why=explain_verdict(row)))
    return rows


def _adjust(
    hypotheses: Sequence[Hypothesis], claims: Claims, intervals: Intervals, *, one_sided: bool = False
) -> list[float]:
    """Return the adjusted p of hypotheses, computed from e-values if the declaration states a first look."""
    if claims.first_look is None:
        return adjust_family(hypotheses, claims.permutations, intervals.seed, one_sided=one_sided)
    return holm([
        1.0 if one_sided and np.mean([array.mean() for array in item.values.values()]) <= item.point
        else min(1.0, 1 / e_value(list(item.values.values()), claims.first_look, item.point))
        for item in hypotheses
    ])  # fmt: skip


def _measure(item: Comparison, found: TwoWay, point: float, claims: Claims, intervals: Intervals) -> ClaimRow:
    """Return a row with its unadjusted values and without a verdict."""
    member, claim, values = item.member, item.member.claim, list(item.effect.values())
    (chance,) = randomise([array[None] for array in values], claims.permutations, intervals.seed)
    low, high = found.interval(intervals.confidence)[0]
    by_llm = "; ".join(f"{llm} {effect:+.4f}" for llm, effect in item.by_llm.items()) if len(item.by_llm) > 1 else ""
    return ClaimRow(
        claim=member.name, statement=claim.statement, ranker=member.ranker, distribution=member.distribution,
        testsets=" ".join(item.effect), treatment=member.treatment, control=claim.control, measure=claims.measure,
        expects=claim.expects, effect=float(found.mean[0]), ci_low=float(low), ci_high=float(high), by_llm=by_llm,
        p=float(found.p()[0]), p_randomisation=chance.two_sided, p_test=float(found.p(point)[0]),
        p_family=1.0, p_equivalent=1.0, e=e_value(values, claims.first_look, point) if claims.first_look else None,
        gate=claim.human, gain=0.0, gain_low=0.0, gain_high=0.0, p_gain=1.0,
        verdict="", why="", seeds=item.seeds, queries=sum(array.shape[1] for array in values),
        over="queries and seeds" if len(values[0]) > 1 else "queries", margin=claims.margin, alpha=claims.alpha,
        family=0, permutations=claims.permutations, confidence=intervals.confidence, first_look=claims.first_look,
    )  # fmt: skip


def list_comparisons(cells: Cells, places: Places, claims: Claims) -> Iterator[Comparison]:
    """Yield the comparison of each row of the family.

    Raises:
        DataError: a system was not measured, or its seeds or queries differ from those of the system compared with it.
    """
    for member in members(claims, places):
        look, claim = _Look(cells, member.ranker, member.testsets, claims), member.claim
        treated = look.averaged(member.treatment)
        effect = look.less(treated, look.averaged(claim.control))
        gain = look.less(look.averaged(claim.human), look.made_by((member.ranker, NONE, NONE)))
        yield Comparison(member, len(treated[0].values), effect, look.by_llm(member.treatment, claim.control), gain)


@dataclass(frozen=True, slots=True)
class _Look:
    """One ranker on some test sets, trained on any recipe."""

    cells: Cells
    ranker: str
    testsets: tuple[str, ...]
    claims: Claims

    def made_by(self, system: System) -> list[Cell]:
        """Return the values of one system on each test set."""
        return [get_cell(self.cells, system, testset, self.claims.measure) for testset in self.testsets]

    def averaged(self, recipe: str) -> list[Cell]:
        """Return the mean, per seed and query, over all LLMs of a recipe, with equal weights.

        LLMs are a fixed factor crossed with seeds and queries, so conclusions apply to these LLMs only.

        Raises:
            DataError: the recipe was not measured, or seeds or queries differ between its LLMs.
        """
        made = [self.made_by(system) for system in self._systems(recipe)]
        return [self._mean(cells, recipe, place) for place, cells in enumerate(zip(*made, strict=True))]

    def by_llm(self, treatment: str, control: str) -> dict[str, float]:
        """Return the effect of each LLM, against the control of the same LLM or the mean of the control's LLMs."""
        others = {system[2]: system for system in self._systems(control)}
        return {
            system[2]: float(np.mean([values.mean() for values in self.less(
                self.made_by(system),
                self.made_by(others[system[2]]) if system[2] in others else self.averaged(control),
            ).values()]))
            for system in self._systems(treatment)
        }  # fmt: skip

    def less(self, ours: list[Cell], theirs: list[Cell]) -> dict[str, Values]:
        """Return the differences per test set, shape (seeds, queries); (1, queries) if claims are over queries only."""
        found = pair_differences(list(zip(ours, theirs, strict=True)))
        if "seeds" not in self.claims.over:
            found = [values.mean(axis=0, keepdims=True) for values in found]
        return dict(zip(self.testsets, found, strict=True))

    def _systems(self, recipe: str) -> list[System]:
        return find_systems(self.cells, recipe, self.ranker, table="a claim")

    def _mean(self, made: tuple[Cell, ...], recipe: str, place: int) -> Cell:
        first = made[0]
        if any(cell.queries != first.queries or sorted(cell.seeds) != sorted(first.seeds) for cell in made):
            raise DataError(
                f"results/metrics: recipe {recipe!r} with ranker {self.ranker!r} on {self.testsets[place]}: seeds "
                "or queries differ between the runs to average; remove their files and run again"
            )
        return Cell(first.queries, np.mean([cell.by_seed(first.seeds) for cell in made], axis=0), first.seeds)
