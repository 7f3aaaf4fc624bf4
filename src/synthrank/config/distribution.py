"""Test sets in distribution and out of distribution, per recipe."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

from synthrank.config.base import NONE, load
from synthrank.config.recipes import RecipeSpec, base_and_size
from synthrank.config.testsets import TestsetSpec

MACRO = "macro-average"
"""The test set of a row with the average over all test sets of the table."""

Distribution = Literal["id", "ood"]
"""``id``: test sets of a recipe's corpus. ``ood``: all others."""

SHOWN: tuple[Distribution, ...] = ("id", "ood")
"""The distributions in tables."""

TITLES: dict[str, str] = {
    "id": "In distribution",
    "ood": "Out of distribution",
}


class Places:
    """The test sets of an experiment in and out of distribution, per recipe."""

    def __init__(
        self,
        recipes: Iterable[Path],
        testsets: Iterable[Path],
        origins: Iterable[str] | None = None,
        seen: Iterable[str] = (),
    ) -> None:
        """Read the entity files.

        Args:
            recipes: the files of the recipes; ``NAME@N`` has the file of NAME.
            testsets: the files of the test sets.
            origins: ``NAME=ORIGIN`` for each corpus with the data of another corpus; empty by default.
            seen: ``RANKER=TESTSET`` if the ranker's pretrained model was trained on the test set's corpus.
        """
        self._seen = {(ranker, testset) for ranker, _, testset in (item.partition("=") for item in seen)}
        same = dict(item.split("=", 1) for item in origins or ())
        trained = {path.stem: load(RecipeSpec, path).corpus for path in recipes}
        tested = {path.stem: load(TestsetSpec, path).corpus for path in testsets}
        self.trained_on: dict[str, str] = {recipe: same.get(name, name) for recipe, name in trained.items()}
        self.corpus_of: dict[str, str] = {testset: same.get(name, name) for testset, name in tested.items()}

    def of(self, recipe: str, where: Distribution) -> list[str]:
        """Return the test sets of a recipe in a distribution.

        Args:
            recipe: the recipe's name. ``none`` returns the test sets of any recipe; an unknown name returns no test
                set.
            where: the distribution.
        """
        if recipe == NONE:
            return [name for name in self.corpus_of if any(name in self.of(key, where) for key in self.trained_on)]
        source = self.trained_on.get(base_and_size(recipe)[0])
        return [name for name, corpus in self.corpus_of.items() if source and (corpus == source) == (where == "id")]

    def is_seen(self, ranker: str, testset: str) -> bool:
        """Return whether a ranker's pretrained model was trained on a test set's corpus; fused systems count too."""
        return (ranker.split("+", 1)[0], testset) in self._seen

    def seen(self, where: Distribution) -> frozenset[str]:
        """Return the test sets that averages and claims exclude.

        Out of distribution, they are the test sets of corpora that any ranker's pretrained model was trained on. All
        rankers exclude them, so all averages are over the same test sets. In distribution, every ranker is trained on
        the corpus, so no test set is excluded.
        """
        return frozenset(testset for _, testset in self._seen) if where == "ood" else frozenset()


def add_macro_average(
    names: Sequence[str], there: Sequence[str] | None = None, seen: Collection[str] = ()
) -> list[tuple[str, list[str]]]:
    """Return (row name, test sets) for each test set and, if there are at least two, for their macro average.

    Args:
        names: the test sets of a system.
        seen: test sets that the averages of all systems exclude.
        there: all test sets of the table, by default ``names``. A system without one of them has no macro average,
            because means over different test sets are not comparable.
    """
    averaged = [name for name in names if name not in seen]
    is_whole = len(averaged) > 1 and (there is None or len(averaged) == len([n for n in there if n not in seen]))
    return [*((name, [name]) for name in names), *([(MACRO, averaged)] if is_whole else [])]
