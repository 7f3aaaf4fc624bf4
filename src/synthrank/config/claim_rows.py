"""The rows of a family of claims, with the systems and test sets that each row compares."""

from collections.abc import Iterator
from dataclasses import dataclass

from synthrank.config.distribution import Distribution, Places
from synthrank.config.experiment import Claim, Claims
from synthrank.errors import DataError


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the family."""

    name: str
    claim: Claim
    treatment: str
    distribution: Distribution
    testsets: tuple[str, ...]
    ranker: str

    @property
    def gate(self) -> tuple[str, str, tuple[str, ...]]:
        """The key of the row's gate. Several rows may share a gate."""
        return self.ranker, self.claim.human, self.testsets


def members(claims: Claims, places: Places) -> Iterator[Member]:
    """Yield the rows of the family by claim in their stated order, treatment, distribution and ranker.

    Raises:
        DataError: a claim has no test set in its distribution.
    """
    for name, claim in claims.claims.items():
        for treatment in claim.treatment:
            for where in claim.distributions:
                testsets = tuple(name for name in places.of(treatment, where) if name not in places.seen(where))
                if not testsets:
                    raise DataError(
                        f"config: claims: {name}: the experiment has no {where} test set for recipe {treatment!r}; add "
                        "a suite with one, or remove the claim"
                    )
                for ranker in claim.rankers:
                    yield Member(name, claim, treatment, where, testsets, ranker)
