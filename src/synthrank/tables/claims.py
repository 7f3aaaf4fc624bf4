"""The rows of the table of claims: each claim of the declared family, with each of its rankers and training sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from synthrank.errors import DataError
from synthrank.specs.base import NONE
from synthrank.specs.experiment import Claim, Claims, Intervals
from synthrank.tables.cells import Cell, Cells, System, cell_of
from synthrank.tables.family import Hypothesis, adjusted
from synthrank.tables.paired import differences
from synthrank.tables.places import Places
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
    against the margin nearer to the effect. ``gain`` is the mean of ``gate``, trained on human passages, less that of
    the untrained ranker; ``p_gain`` is one-sided, against a gain of the margin, and adjusted for all gates.
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


@dataclass(frozen=True, slots=True)
class _Compared:
    """What a row compares: differences of treatment and control, and of the gate and the untrained ranker."""

    name: str
    claim: Claim
    treatment: str
    distribution: str
    ranker: str
    seeds: int
    effect: Mapping[str, Values]
    by_llm: Mapping[str, float]
    gain: Mapping[str, Values]

    @property
    def gate(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells gates apart: several rows share one."""
        return self.ranker, self.claim.human, tuple(self.gain)


def claim_rows(cells: Cells, places: Places, claims: Claims, intervals: Intervals) -> list[Row]:
    """Return the rows: claims in the order of the declaration, then treatments, distributions and rankers.

    Every row is tested at the point that its claim is about (0, or a margin) and at the margin nearer to its effect,
    both two-sided; all these hypotheses are one family. Gates are a family of their own: a row is decided only if its
    gate and its own test both reject, so neither correction needs the other (an intersection-union test, Berger 1982).

    Raises:
        DataError: a system was not measured, or not with the same seeds and queries as what it is compared with.
    """
    compared = list(_compared(cells, places, claims))
    effects = [two_way([values[None] for values in item.effect.values()]) for item in compared]
    points = [point_of(item.claim.expects, float(found.mean[0]), claims.margin)
              for item, found in zip(compared, effects, strict=True)]  # fmt: skip
    margins = [nearer_margin(float(found.mean[0]), claims.margin) for found in effects]
    hypotheses = [
        Hypothesis(item.effect, point, float(found.p(point)[0]))
        for at in (points, margins) for item, found, point in zip(compared, effects, at, strict=True)
    ]  # fmt: skip
    p_of = adjusted(hypotheses, claims.permutations, intervals.seed)
    gates = {item.gate: item.gain for item in compared}
    gains = {key: two_way([values[None] for values in gain.values()]) for key, gain in gates.items()}
    passed = adjusted(
        [Hypothesis(gain, claims.margin, float(gains[key].p_above(claims.margin)[0])) for key, gain in gates.items()],
        claims.permutations,
        intervals.seed,
        one_sided=True,
    )
    p_gains = dict(zip(gates, passed, strict=True))
    rows = []
    for place, (item, found, point) in enumerate(zip(compared, effects, points, strict=True)):
        measured = _measured(item, found, point, claims, intervals)
        gain = gains[item.gate]
        (low, high), mean = gain.interval(intervals.confidence)[0], float(gain.mean[0])
        row = replace(
            measured, p_family=p_of[place], p_equivalent=p_of[len(compared) + place], p_gain=p_gains[item.gate],
            gain=mean, gain_low=float(low), gain_high=float(high), family=len(compared),
        )  # fmt: skip
        row = replace(row, verdict=verdict(row))
        rows.append(replace(row, why=why(row)))
    return rows


def _measured(item: _Compared, found: TwoWay, point: float, claims: Claims, intervals: Intervals) -> Row:
    """Return a row with what it says by itself, not adjusted and not judged."""
    claim, values = item.claim, list(item.effect.values())
    (chance,) = randomise([array[None] for array in values], claims.permutations, intervals.seed)
    low, high = found.interval(intervals.confidence)[0]
    by_llm = "; ".join(f"{llm} {effect:+.4f}" for llm, effect in item.by_llm.items()) if len(item.by_llm) > 1 else ""
    return Row(
        claim=item.name, statement=claim.statement, ranker=item.ranker, distribution=item.distribution,
        testsets=" ".join(item.effect), treatment=item.treatment, control=claim.control, measure=claims.measure,
        expects=claim.expects, effect=float(found.mean[0]), ci_low=float(low), ci_high=float(high), by_llm=by_llm,
        p=float(found.p()[0]), p_randomisation=chance.two_sided, p_test=float(found.p(point)[0]),
        p_family=1.0, p_equivalent=1.0, gate=claim.human, gain=0.0, gain_low=0.0, gain_high=0.0, p_gain=1.0,
        verdict="", why="", seeds=item.seeds, queries=sum(array.shape[1] for array in values),
        over="queries and seeds" if len(values[0]) > 1 else "queries", margin=claims.margin, alpha=claims.alpha,
        family=0, permutations=claims.permutations, confidence=intervals.confidence,
    )  # fmt: skip


def _compared(cells: Cells, places: Places, claims: Claims) -> Iterator[_Compared]:
    for name, claim in claims.claims.items():
        for treatment in claim.treatment:
            for where in claim.distributions:
                testsets = [name for name in places.of(treatment, where) if name not in places.seen(where)]
                if not testsets:
                    raise DataError(
                        f"config: claims: {name}: the experiment has no test set that is {where} for recipe "
                        f"{treatment!r}; add a suite with one, or leave the claim out"
                    )
                for ranker in claim.rankers:
                    look = _Look(cells, ranker, testsets, claims)
                    treated = look.averaged(treatment)
                    effect = look.less(treated, look.averaged(claim.control))
                    gain = look.less(look.averaged(claim.human), look.made_by((ranker, NONE, NONE)))
                    yield _Compared(
                        name, claim, treatment, where, ranker, len(treated[0].values), effect,
                        look.by_llm(treatment, claim.control), gain,
                    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Look:
    """One ranker on some test sets: what recipes made of it."""

    cells: Cells
    ranker: str
    testsets: list[str]
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
        found = [system for system in self.cells if system[:2] == (self.ranker, recipe)]
        if not found:
            raise DataError(
                f"results/metrics: no scores of ranker {self.ranker!r} trained on recipe {recipe!r}, which a claim "
                "compares; remove their files and run again"
            )
        return found

    def _mean(self, made: tuple[Cell, ...], recipe: str, place: int) -> Cell:
        first = made[0]
        if any(cell.queries != first.queries or sorted(cell.seeds) != sorted(first.seeds) for cell in made):
            raise DataError(
                f"results/metrics: recipe {recipe!r} with ranker {self.ranker!r} on {self.testsets[place]}: runs that "
                "are averaged have other seeds or queries than each other; remove their files and run again"
            )
        return Cell(first.queries, np.mean([cell.by_seed(first.seeds) for cell in made], axis=0), first.seeds)
