"""The rows of a declared family of claims: what each compares, and where."""

from collections.abc import Iterator
from dataclasses import dataclass

from synthrank.errors import DataError
from synthrank.places import Distribution, Places
from synthrank.specs.experiment import Claim, Claims


@dataclass(frozen=True, slots=True)
class Member:
    """What a row of the family is of."""

    name: str
    claim: Claim
    treatment: str
    distribution: Distribution
    testsets: tuple[str, ...]
    ranker: str

    @property
    def gate(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells gates apart: several rows share one."""
        return self.ranker, self.claim.human, self.testsets


def members(claims: Claims, places: Places) -> Iterator[Member]:
    """Yield the rows of the family: claims in the order of the declaration, treatments, distributions, rankers.

    Raises:
        DataError: a claim has no test set in its distribution.
    """
    for name, claim in claims.claims.items():
        for treatment in claim.treatment:
            for where in claim.distributions:
                testsets = tuple(name for name in places.of(treatment, where) if name not in places.seen(where))
                if not testsets:
                    raise DataError(
                        f"config: claims: {name}: the experiment has no test set that is {where} for recipe "
                        f"{treatment!r}; add a suite with one, or leave the claim out"
                    )
                for ranker in claim.rankers:
                    yield Member(name, claim, treatment, where, testsets, ranker)
