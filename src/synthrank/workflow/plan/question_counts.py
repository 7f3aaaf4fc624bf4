"""The number of requests that rank a query's candidates, and the number of passages in each."""

from math import ceil

from synthrank.config.rankings import Listwise, Pairwise, RankingSpec, Setwise
from synthrank.llms.reranking.sorts import windows


def shown_sizes(ranking: RankingSpec, count: int) -> list[int]:
    """Return the number of passages of each request that ranks ``count`` candidates.

    The number of requests is exact for windows, all pairs and single passages, if no request is repeated. For heap sort
    and bubble sort it is the maximum, because their requests depend on the replies.
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
        # A node of a binary heap is compared with two children, a bubble with one passage, both in both orders.
        compared = 3 if ranking.sort == "heap" else 2
        return [2] * (2 * (compared - 1) * _choices(ranking.sort, count, compared, ranking.top))
    return [1] * count


def is_bound(ranking: RankingSpec) -> bool:
    """Return whether :func:`shown_sizes` is an upper bound."""
    return isinstance(ranking, Setwise | Pairwise) and ranking.sort != "all-pairs"


def _choices(sort: str, count: int, compared: int, top: int) -> int:
    """Return the maximum number of choices of the best among ``compared`` passages."""
    if sort == "heap":
        built = sum(_height(root, count, compared - 1) for root in range(count))
        return built + sum(_height(0, count - taken, compared - 1) for taken in range(1, min(top, count)))
    return sum(ceil((count - done - 1) / (compared - 1)) for done in range(min(top, count - 1)))


def _height(root: int, size: int, children: int) -> int:
    """Return the number of times that a node can sink below its children in a heap of ``size`` nodes."""
    levels = 0
    while (root := children * root + 1) < size:
        levels += 1
    return levels
