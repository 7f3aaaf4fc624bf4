"""The rounds in which queries are asked for passages."""

from collections.abc import Iterable

from synthrank.reading.written import read_written, replies_wanted
from synthrank.records import Reply
from synthrank.specs.paradigms import Asked


class Rounds:
    """Tells what to ask in each round: of every query as much as it lacks, so that nothing is asked in vain.

    A query is asked at most ``quality.attempts`` times for each reply that is wanted of it, and replies that are word
    for word the same count once. What is asked of a query depends on its own earlier replies alone.
    """

    def __init__(self, queries: Iterable[str], spec: Asked) -> None:
        """Begin with nothing asked.

        Args:
            queries: their ids, in the order in which they are asked.
            spec: says when a reply is usable, how many are wanted and how often to ask.
        """
        self._spec, self._wanted = spec, replies_wanted(spec)
        self._usable: dict[str, set[tuple[str, ...]]] = {name: set() for name in queries}
        self._asks = dict.fromkeys(self._usable, 0)

    def asks(self) -> list[tuple[str, int]]:
        """Return the (query id, sample) of the next round, in the order of the queries; nothing after the last one."""
        most = self._wanted * self._spec.quality.attempts
        batch: list[tuple[str, int]] = []
        for name, usable in self._usable.items():
            start = self._asks[name]
            self._asks[name] = min(most, start + self._wanted - len(usable))
            batch += [(name, sample) for sample in range(start, self._asks[name])]
        return batch

    def take(self, reply: Reply) -> None:
        """Count a reply of the round if it is usable."""
        written = read_written(reply, self._spec)
        if not written.reason:
            self._usable[reply.query_id].add(written.texts)
