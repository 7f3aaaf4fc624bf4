"""How many questions it takes to order a query's candidates, and how many passages each of them shows."""

from math import ceil

from synthrank.ordering.sorts import windows
from synthrank.specs.rankings import Listwise, Pairwise, RankingSpec, Setwise


def shown_sizes(ranking: RankingSpec, count: int) -> list[int]:
    """Return for each question about ``count`` candidates how many passages it shows; at most so many questions.

    Windows, all pairs, and one passage at a time are what they are, where every question gets an answer at once and
    none comes again. Sorts by heap and bubble ask as their answers lead them: what they can ask at most is returned.
    """
    if count < 2:
        return []
    if isinstance(ranking, Listwise):
        sizes = [end - start for start, end in windows(count, ranking.window, ranking.step)]
        return sizes * ranking.passes
    if isinstance(ranking, Setwise):
        return [min(ranking.compared, count)] * _choices(ranking.sort, count, ranking.compared, ranking.top)
    if isinstance(ranking, Pairwise):
        if ranking.sort == "all-pairs":
            return [2] * (count * (count - 1))
        # A node of a binary heap meets two children, in two duels; a bubble meets one rival. Both orders are asked.
        compared = 3 if ranking.sort == "heap" else 2
        return [2] * (2 * (compared - 1) * _choices(ranking.sort, count, compared, ranking.top))
    return [1] * count


def is_bound(ranking: RankingSpec) -> bool:
    """Tell whether :func:`shown_sizes` is only what a ranking asks at most."""
    return isinstance(ranking, Setwise | Pairwise) and ranking.sort != "all-pairs"


def _choices(sort: str, count: int, compared: int, top: int) -> int:
    """Return how often the best of ``compared`` is chosen at most."""
    if sort == "heap":
        built = sum(_height(root, count, compared - 1) for root in range(count))
        return built + sum(_height(0, count - taken, compared - 1) for taken in range(1, min(top, count)))
    return sum(ceil((count - done - 1) / (compared - 1)) for done in range(min(top, count - 1)))


def _height(root: int, size: int, children: int) -> int:
    """Return how often a node can sink below its children in a heap of ``size`` nodes."""
    levels = 0
    while (root := children * root + 1) < size:
        levels += 1
    return levels
