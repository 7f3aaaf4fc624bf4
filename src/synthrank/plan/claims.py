"""What the claims of an experiment can settle, by its numbers of test questions and seeds, before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf
from pathlib import Path

from synthrank.components import Components
from synthrank.members import Member, members
from synthrank.needs import Needs
from synthrank.places import Places
from synthrank.plan.text import table
from synthrank.power import POWER, Design, power, queries_needed, seeds_needed, smallest
from synthrank.seen import base_of
from synthrank.specs.experiment import Claims
from synthrank.specs.variances import FILE, Against, Variances
from synthrank.study import Study

HEAD = (
    "claim", "on", "trained on", "ranker", "expects", "questions", "seeds", "settles", "power", "questions needed",
    "seeds needed", "gain needed", "variances of", "at the margin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """What one row of the family can settle.

    ``settles`` is the least distance between the truth and the tested point that is found with a chance of
    :data:`synthrank.power.POWER`: of a gain or a loss the effect itself, of the others the margin that two equal
    training sets would be shown to lie within. ``power`` is the chance at the declared margin. ``gain`` is how much
    training on human passages must gain over the untrained ranker for the row to count. What is not known is None;
    ``why_not`` says why it is not, or why the row cannot be settled, and is empty where it can.
    """

    member: Member
    queries: int | None
    seeds: int
    settles: float | None = None
    power: float | None = None
    queries_needed: int | None = None
    seeds_needed: int | None = None
    gain: float | None = None
    like: str = ""
    why_not: str = ""


def planned(study: Study, variances: Sequence[Variances]) -> list[Planned]:
    """Return what each row of the family of claims can settle, in the order of the table of claims."""
    claims = study.claims
    rows = list(members(claims, places_of(study)))
    gates = len({member.gate for member in rows})
    known = [row for row in variances if row.measure == claims.measure]
    return [_planned(member, study, known, 2 * len(rows), gates) for member in rows]


def places_of(study: Study) -> Places:
    """Return where the claims of a study look."""
    needs = Needs(study)
    recipes = needs.recipe_files(name for claim in study.claims.claims.values() for name in claim.recipes)
    return Places(map(Path, recipes), map(Path, needs.testset_specs), needs.origins, needs.seen_testsets)


def _planned(member: Member, study: Study, variances: Sequence[Variances], hypotheses: int, gates: int) -> Planned:
    """Return what one row can settle; its hypotheses are the claim's own and that at a margin."""
    claims, seeds = study.claims, len(study.experiment.seeds)
    counts = {}
    for name in member.testsets:
        spec = study.entities["testsets"][name]
        counts[name] = study.entities["corpora"][spec.corpus].queries_of(spec.split)
        if counts[name] is None:
            unknown = f"config/corpora/{spec.corpus}.yaml does not state counts.splits.{spec.split}.queries"
            return Planned(member, None, seeds, why_not=f"not known: {unknown}")
    total = sum(counts.values())
    effect, gain = (_alike(variances, study, member, against) for against in ("control", "untrained"))
    if effect is None or gain is None:
        return Planned(
            member, total, seeds,
            why_not=f"not known: config/{FILE} has no variances of {claims.measure}, {member.distribution}",
        )  # fmt: skip

    def design(row: Variances, hypotheses: int, *, one_sided: bool) -> Design:
        return Design(
            Components(row.var_query, row.var_seed, row.var_residual), tuple(counts.values()), seeds,
            "seeds" in claims.over, claims.alpha, hypotheses, one_sided, claims.first_look,
        )  # fmt: skip

    tested = design(effect, hypotheses, one_sided=False)
    # Equivalence takes both of its tests: each fails half as often as both may together.
    chance = (1 + POWER) / 2 if member.claim.expects == "equivalence" else POWER
    settles, at_margin = smallest(tested, chance), power(tested, claims.margin)
    if member.claim.expects == "equivalence":
        at_margin = max(0.0, 2 * at_margin - 1)
    more_queries, more_seeds = (find(tested, claims.margin, chance) for find in (queries_needed, seeds_needed))
    too_few = "questions" if more_queries else "seeds" if more_seeds else "questions and too few seeds"
    return Planned(
        member, total, seeds, settles, at_margin, more_queries, more_seeds,
        claims.margin + smallest(design(gain, gates, one_sided=True)), f"{effect.architecture} {effect.model}",
        "" if settles <= claims.margin else f"cannot be settled: too few {too_few}",
    )  # fmt: skip


def _alike(variances: Sequence[Variances], study: Study, member: Member, against: Against) -> Variances | None:
    """Return the variances of the most similar rankers; of several the largest, so that no plan is too hopeful."""
    ranker = study.entities["rankers"][member.ranker]
    found = [row for row in variances if (row.distribution, row.against) == (member.distribution, against)]
    same = [row for row in found if row.architecture == ranker.architecture]
    exact = [row for row in same if row.model == base_of(study, member.ranker)]
    rows = exact or same or found
    return max(rows, key=lambda row: row.var_query + row.var_seed + row.var_residual, default=None)


def claims_text(rows: Sequence[Planned], study: Study) -> str:
    """Return a line for each row of the family, how many can be settled, and what the figures rest on."""
    claims = study.claims
    lines = [list(HEAD), *(_cells(row) for row in rows)]
    settled = sum(not row.why_not for row in rows)
    count = f"{settled} of {len(rows)} rows of claims can be settled at the margin of {claims.margin:g}."
    return "\n".join([table(lines), count, _note(claims)]) + "\n"


def _note(claims: Claims) -> str:
    test = (
        f"1 / e, at {claims.first_look} seeds at the first look, by Holm's method"
        if claims.first_look
        else "step-down maxT as if no two rows hung together; rows on the same questions are found more often"
    )
    return (
        f"settles: the smallest effect in {claims.measure} that is found with a chance of {POWER:.0%}, at alpha "
        f"{claims.alpha:g} of the whole family (two hypotheses a row; {test}); of non-inferiority, no-gain and "
        "equivalence the smallest margin within which two equal training sets are shown to lie. power: the chance at "
        "the declared margin. needed: questions (with these seeds) or seeds (with these questions) for the declared "
        f"margin; none: no number of them is enough. gain needed: what training on human passages must gain over the "
        f"untrained ranker for the row to count. Variances: config/{FILE}, which python benchmarks/variances.py "
        "refreshes; of a ranker that it lacks, those of the most similar ones."
    )


def _cells(row: Planned) -> list[str]:
    member, is_told = row.member, row.settles is not None
    return [
        member.name, member.distribution, member.treatment, member.ranker, member.claim.expects,
        "?" if row.queries is None else f"{row.queries:,}", str(row.seeds), _distance(row.settles),
        "?" if row.power is None else f"{row.power:.2f}",
        *(f"{number:,}" if number else "none" if is_told else "?" for number in (row.queries_needed, row.seeds_needed)),
        _distance(row.gain), row.like or "?", row.why_not or "can be settled",
    ]  # fmt: skip


def _distance(value: float | None) -> str:
    if value is None:
        return "?"
    return "none" if isinf(value) else f"{value:.3f}"
