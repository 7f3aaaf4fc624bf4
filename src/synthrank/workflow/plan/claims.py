"""Power analysis of an experiment's claims from its numbers of test queries and seeds, before any run."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf

from synthrank.config.claim_rows import Member, members
from synthrank.config.distribution import Places
from synthrank.config.experiment import Claims
from synthrank.config.pretraining import base_of
from synthrank.config.study import Study
from synthrank.config.variances import FILE, Against, Variances
from synthrank.stats.power import POWER, Design, power, queries_needed, seeds_needed, smallest
from synthrank.stats.variance_components import Components
from synthrank.workflow.inputs import Inputs
from synthrank.workflow.plan.text import table

HEAD = (
    "claim", "on", "trained on", "ranker", "expects", "queries", "seeds", "settles", "power", "queries needed",
    "seeds needed", "gain needed", "variances of", "at the margin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """The power of one row of the family of claims.

    ``settles`` is the smallest distance between the true and the tested value that is detected with the probability
    :data:`synthrank.stats.power.POWER`. For a gain or a loss this is the effect; for other claims it is the margin
    within which two equal training sets are shown to be. ``power`` is the probability at the stated margin. ``gain`` is
    the required gain of training on human passages over the untrained ranker. None marks an unknown value.
    ``why_not`` is the reason for unknown values or for a row that cannot be settled, and otherwise empty.
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


def plan_claims(study: Study, variances: Sequence[Variances]) -> list[Planned]:
    """Return the power of each row of the family of claims, in the order of the table of claims."""
    claims = study.claims
    rows = list(members(claims, places_of(study)))
    gates = len({member.gate for member in rows})
    known = [row for row in variances if row.measure == claims.measure]
    return [_plan_claim(member, study, known, 2 * len(rows), gates) for member in rows]


def places_of(study: Study) -> Places:
    """Return the files and names that the claims of a study refer to."""
    tables = Inputs(study).tables
    recipes = tables.bases_of(name for claim in study.claims.claims.values() for name in claim.recipes)
    testsets = study.testsets_of(*study.experiment.suites)
    return Places(
        (study.folder / f"recipes/{name}.yaml" for name in recipes),
        (study.folder / f"testsets/{name}.yaml" for name in testsets),
        tables.origins(),
        tables.seen_testsets(),
    )


def _plan_claim(member: Member, study: Study, variances: Sequence[Variances], hypotheses: int, gates: int) -> Planned:
    """Return the power of one row, which has two hypotheses: the claim's own and the one at a margin."""
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
    # Equivalence requires both of its tests, so each may fail half as often as both together.
    chance = (1 + POWER) / 2 if member.claim.expects == "equivalence" else POWER
    settles, at_margin = smallest(tested, chance), power(tested, claims.margin)
    if member.claim.expects == "equivalence":
        at_margin = max(0.0, 2 * at_margin - 1)
    more_queries, more_seeds = (find(tested, claims.margin, chance) for find in (queries_needed, seeds_needed))
    too_few = "queries" if more_queries else "seeds" if more_seeds else "queries and too few seeds"
    return Planned(
        member, total, seeds, settles, at_margin, more_queries, more_seeds,
        claims.margin + smallest(design(gain, gates, one_sided=True)), f"{effect.architecture} {effect.model}",
        "" if settles <= claims.margin else f"cannot be settled: too few {too_few}",
    )  # fmt: skip


def _alike(variances: Sequence[Variances], study: Study, member: Member, against: Against) -> Variances | None:
    """Return the variances of the most similar ranker. Of several, return the largest, which is conservative."""
    ranker = study.entities["rankers"][member.ranker]
    found = [row for row in variances if (row.distribution, row.against) == (member.distribution, against)]
    same = [row for row in found if row.architecture == ranker.architecture]
    exact = [row for row in same if row.model == base_of(study, member.ranker)]
    rows = exact or same or found
    return max(rows, key=lambda row: row.var_query + row.var_seed + row.var_residual, default=None)


def claims_text(rows: Sequence[Planned], study: Study) -> str:
    """Return a table with one line per row of the family, the number of rows that can be settled, and a note."""
    claims = study.claims
    lines = [list(HEAD), *(_cells(row) for row in rows)]
    settled = sum(not row.why_not for row in rows)
    count = f"{settled} of {len(rows)} rows of claims can be settled at the margin of {claims.margin:g}."
    return "\n".join([table(lines), count, _note(claims)]) + "\n"


def _note(claims: Claims) -> str:
    test = (
        f"1 / e, at {claims.first_look} seeds at the first look, by Holm's method"
        if claims.first_look
        else "step-down maxT for independent rows; the power is higher for rows on the same queries"
    )
    return (
        f"settles: the smallest effect in {claims.measure} that is detected with a probability of {POWER:.0%}, at "
        f"alpha {claims.alpha:g} for the whole family (two hypotheses per row; {test}); for non-inferiority, no-gain "
        "and equivalence, the smallest margin within which two equal training sets are shown to be. power: the "
        "probability at the stated margin. needed: queries (with these seeds) or seeds (with these queries) for the "
        "stated margin; none: no number is sufficient. gain needed: the required gain of training on human passages "
        f"over the untrained ranker. Variances: config/{FILE}, updated by python benchmarks/variances.py; for other "
        "rankers, the variances of the most similar ones."
    )


def _cells(row: Planned) -> list[str]:
    member, is_known = row.member, row.settles is not None
    return [
        member.name, member.distribution, member.treatment, member.ranker, member.claim.expects,
        "?" if row.queries is None else f"{row.queries:,}", str(row.seeds), _distance(row.settles),
        "?" if row.power is None else f"{row.power:.2f}",
        *(f"{item:,}" if item else "none" if is_known else "?" for item in (row.queries_needed, row.seeds_needed)),
        _distance(row.gain), row.like or "?", row.why_not or "can be settled",
    ]  # fmt: skip


def _distance(value: float | None) -> str:
    if value is None:
        return "?"
    return "none" if isinf(value) else f"{value:.3f}"
