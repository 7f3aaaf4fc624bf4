"""The rows of the table of claims: each claim of the declared family, with each of its rankers and training sets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthrank.anytime import e_value
from synthrank.errors import DataError
from synthrank.members import Member, members
from synthrank.places import Places
from synthrank.specs.base import NONE
from synthrank.specs.experiment import Claims, Intervals
from synthrank.tables.cells import Cell, Cells, System, cell_of, systems_of
from synthrank.tables.family import Hypothesis, adjusted
from synthrank.tables.holm import holm
from synthrank.tables.paired import differences
from synthrank.tables.randomisation import randomise
from synthrank.tables.summary import Values
from synthrank.tables.two_way import TwoWay, two_way
from synthrank.tables.verdicts import nearer_margin, point_of, verdict, why


@dataclass(frozen=True, slots=True)
class Row:
    """One claim with one training set, ranker and distribution; from ``margin`` on the declaration, alike in all rows.

    ``effect`` is the treatment's mean less the control's, averaged over the treatment's LLMs; ``by_llm`` has that of
    each where there are several. ``p`` and ``p_randomisation`` are against no difference, ``p_test`` is against the
    point that the claim is about and ``p_family`` the same adjusted for the family; ``p_equivalent`` is adjusted too,
    against the margin nearer to the effect. ``e`` is the e-value against the point, where the declaration states a
    first look; adjusted p are then made from e-values. ``gain`` is the mean of ``gate``, trained on human passages,
    less that of the untrained ranker; ``p_gain`` is one-sided, against a gain of the margin, and adjusted for all
    gates.
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
class Compared:
    """What a row compares: differences of treatment and control, and of the gate and the untrained ranker."""

    member: Member
    seeds: int
    effect: Mapping[str, Values]
    by_llm: Mapping[str, float]
    gain: Mapping[str, Values]


def claim_rows(cells: Cells, places: Places, claims: Claims, intervals: Intervals) -> list[Row]:
    """Return the rows, in the order of :func:`synthrank.members.members`.

    Every row is tested at the point that its claim is about (0, or a margin) and at the margin nearer to its effect,
    both two-sided; all these hypotheses are one family. Gates are a family of their own: a row is decided only if its
    gate and its own test both reject, so neither correction needs the other (an intersection-union test, Berger 1982).

    If the declaration states a first look, seeds may be added until claims are settled, and hypotheses are tested by
    e-values in place of p: 1 / e is a p at whatever number of seeds one stops, and Holm's method holds for p that hang
    together in any way.

    Raises:
        DataError: a system was not measured, or not with the same seeds and queries as what it is compared with.
    """
    rows_of = list(compared(cells, places, claims))
    effects = [two_way([values[None] for values in item.effect.values()]) for item in rows_of]
    points = [point_of(item.member.claim.expects, float(found.mean[0]), claims.margin)
              for item, found in zip(rows_of, effects, strict=True)]  # fmt: skip
    margins = [nearer_margin(float(found.mean[0]), claims.margin) for found in effects]
    hypotheses = [
        Hypothesis(item.effect, point, float(found.p(point)[0]))
        for at in (points, margins) for item, found, point in zip(rows_of, effects, at, strict=True)
    ]  # fmt: skip
    p_of = _adjusted(hypotheses, claims, intervals)
    gates = {item.member.gate: item.gain for item in rows_of}
    gains = {key: two_way([values[None] for values in gain.values()]) for key, gain in gates.items()}
    passed = _adjusted(
        [Hypothesis(gain, claims.margin, float(gains[key].p_above(claims.margin)[0])) for key, gain in gates.items()],
        claims,
        intervals,
        one_sided=True,
    )
    p_gains = dict(zip(gates, passed, strict=True))
    rows = []
    for place, (item, found, point) in enumerate(zip(rows_of, effects, points, strict=True)):
        measured = _measured(item, found, point, claims, intervals)
        gain = gains[item.member.gate]
        (low, high), mean = gain.interval(intervals.confidence)[0], float(gain.mean[0])
        row = replace(
            measured, p_family=p_of[place], p_equivalent=p_of[len(rows_of) + place], p_gain=p_gains[item.member.gate],
            gain=mean, gain_low=float(low), gain_high=float(high), family=len(rows_of),
        )  # fmt: skip
        row = replace(row, verdict=verdict(row))
        rows.append(replace(row, why=why(row)))
    return rows


def _adjusted(
    hypotheses: Sequence[Hypothesis], claims: Claims, intervals: Intervals, *, one_sided: bool = False
) -> list[float]:
    """Return the adjusted p of hypotheses, as the declaration has it: of p, or if seeds may be added of e-values."""
    if claims.first_look is None:
        return adjusted(hypotheses, claims.permutations, intervals.seed, one_sided=one_sided)
    return holm([
        1.0 if one_sided and np.mean([array.mean() for array in item.values.values()]) <= item.point
        else min(1.0, 1 / e_value(list(item.values.values()), claims.first_look, item.point))
        for item in hypotheses
    ])  # fmt: skip


def _measured(item: Compared, found: TwoWay, point: float, claims: Claims, intervals: Intervals) -> Row:
    """Return a row with what it says by itself, not adjusted and not judged."""
    member, claim, values = item.member, item.member.claim, list(item.effect.values())
    (chance,) = randomise([array[None] for array in values], claims.permutations, intervals.seed)
    low, high = found.interval(intervals.confidence)[0]
    by_llm = "; ".join(f"{llm} {effect:+.4f}" for llm, effect in item.by_llm.items()) if len(item.by_llm) > 1 else ""
    return Row(
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


def compared(cells: Cells, places: Places, claims: Claims) -> Iterator[Compared]:
    """Yield what each row of the family compares.

    Raises:
        DataError: a system was not measured, or not with the same seeds and queries as what it is compared with.
    """
    for member in members(claims, places):
        look, claim = _Look(cells, member.ranker, member.testsets, claims), member.claim
        treated = look.averaged(member.treatment)
        effect = look.less(treated, look.averaged(claim.control))
        gain = look.less(look.averaged(claim.human), look.made_by((member.ranker, NONE, NONE)))
        yield Compared(member, len(treated[0].values), effect, look.by_llm(member.treatment, claim.control), gain)


@dataclass(frozen=True, slots=True)
class _Look:
    """One ranker on some test sets: what recipes made of it."""

    cells: Cells
    ranker: str
    testsets: tuple[str, ...]
    claims: Claims

    def made_by(self, system: System) -> list[Cell]:
        """Return the values of one system on each test set; seeds averaged where claims speak of queries alone."""
        return [cell_of(self.cells, system, testset, self.claims.measure) for testset in self.testsets]

    def averaged(self, recipe: str) -> list[Cell]:
        """Return the mean, per seed and query, over every LLM that made a recipe's passages.

        LLMs are a factor that all seeds and queries cross, each level weighing the same: what is said of the mean is
        said of these LLMs, not of others.

        Raises:
            DataError: the recipe was not measured, or by one LLM with other seeds or queries than by the first.
        """
        made = [self.made_by(system) for system in self._systems(recipe)]
        return [self._mean(cells, recipe, place) for place, cells in enumerate(zip(*made, strict=True))]

    def by_llm(self, treatment: str, control: str) -> dict[str, float]:
        """Return the effect of each LLM; against the control by the same one, or by the mean of all that made it."""
        others = {system[2]: system for system in self._systems(control)}
        return {
            system[2]: float(np.mean([values.mean() for values in self.less(
                self.made_by(system),
                self.made_by(others[system[2]]) if system[2] in others else self.averaged(control),
            ).values()]))
            for system in self._systems(treatment)
        }  # fmt: skip

    def less(self, ours: list[Cell], theirs: list[Cell]) -> dict[str, Values]:
        """Return the differences on each test set, shape (seeds, queries), or (1, queries) over queries alone."""
        found = differences(list(zip(ours, theirs, strict=True)))
        if "seeds" not in self.claims.over:
            found = [values.mean(axis=0, keepdims=True) for values in found]
        return dict(zip(self.testsets, found, strict=True))

    def _systems(self, recipe: str) -> list[System]:
        return systems_of(self.cells, recipe, self.ranker, table="a claim")

    def _mean(self, made: tuple[Cell, ...], recipe: str, place: int) -> Cell:
        first = made[0]
        if any(cell.queries != first.queries or sorted(cell.seeds) != sorted(first.seeds) for cell in made):
            raise DataError(
                f"results/metrics: recipe {recipe!r} with ranker {self.ranker!r} on {self.testsets[place]}: runs that "
                "are averaged have other seeds or queries than each other; remove their files and run again"
            )
        return Cell(first.queries, np.mean([cell.by_seed(first.seeds) for cell in made], axis=0), first.seeds)
