"""Where a table looks: which test sets are in distribution for a recipe, and which are not."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

from synthrank.specs.base import NONE, load
from synthrank.specs.recipes import RecipeSpec, base_and_size
from synthrank.specs.testsets import TestsetSpec

MACRO = "macro-average"
"""The test set of a row that averages over all test sets of the table."""

Distribution = Literal["id", "ood"]
"""The test sets of a recipe's own corpus, or all others."""

SHOWN: tuple[Distribution, ...] = ("id", "ood")
"""What tables show, each by itself."""

TITLES: dict[str, str] = {
    "id": "In distribution",
    "ood": "Out of distribution",
}


class Places:
    """The test sets of an experiment, for each recipe those of its own corpus and those of others."""

    def __init__(
        self,
        recipes: Iterable[Path],
        testsets: Iterable[Path],
        origins: Iterable[str] | None = None,
        seen: Iterable[str] = (),
    ) -> None:
        """Read the entity files.

        Args:
            recipes: of the recipes; one named ``NAME@N`` has the file of NAME.
            testsets: of the test sets.
            origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
            seen: ``RANKER=TESTSET`` where a ranker's pretrained model was trained on the test set's corpus.
        """
        self._seen = {(ranker, testset) for ranker, _, testset in (item.partition("=") for item in seen)}
        same = dict(item.split("=", 1) for item in origins or ())
        trained = {path.stem: load(RecipeSpec, path).corpus for path in recipes}
        tested = {path.stem: load(TestsetSpec, path).corpus for path in testsets}
        self.trained_on: dict[str, str] = {recipe: same.get(name, name) for recipe, name in trained.items()}
        self.corpus_of: dict[str, str] = {testset: same.get(name, name) for testset, name in tested.items()}

    def of(self, recipe: str, where: Distribution) -> list[str]:
        """Return the test sets of a recipe in some distribution; of no recipe, those that any recipe has there.

        Args:
            recipe: its name; a recipe that is not of this table has none.
            where: in distribution, or out of it.
        """
        if recipe == NONE:
            return [name for name in self.corpus_of if any(name in self.of(key, where) for key in self.trained_on)]
        source = self.trained_on.get(base_and_size(recipe)[0])
        return [name for name, corpus in self.corpus_of.items() if source and (corpus == source) == (where == "id")]

    def is_seen(self, ranker: str, testset: str) -> bool:
        """Tell whether a ranker's pretrained model, alone or fused with a first stage, saw a test set's corpus."""
        return (ranker.split("+", 1)[0], testset) in self._seen

    def seen(self, where: Distribution) -> frozenset[str]:
        """Return the test sets that no average and no claim is of: out of distribution those that any ranker saw.

        They are left out for all rankers, so that averages of all are over the same test sets. In distribution every
        ranker is trained on the corpus anyhow.
        """
        return frozenset(testset for _, testset in self._seen) if where == "ood" else frozenset()


def with_macro(
    names: Sequence[str], there: Sequence[str] | None = None, seen: Collection[str] = ()
) -> list[tuple[str, list[str]]]:
    """Return each test set by itself and, of two or more, their macro average: what a row is called, and what it is of.

    Args:
        names: the test sets that a system was measured on.
        seen: those that are left out of the average, for every system.
        there: all of the table; a system that lacks one has no macro average, since means over other test sets
            cannot be compared. By default none is lacking.
    """
    averaged = [name for name in names if name not in seen]
    is_whole = len(averaged) > 1 and (there is None or len(averaged) == len([n for n in there if n not in seen]))
    return [*((name, [name]) for name in names), *([(MACRO, averaged)] if is_whole else [])]
