"""Reading a reply as what its paradigm asks for, one passage or one of each level, and what to ask for next."""

from collections.abc import Iterable
from dataclasses import dataclass

from synthrank.reading.graded import REASONS, read_graded
from synthrank.reading.passage import REASONS as PASSAGE_REASONS
from synthrank.reading.passage import read_passage
from synthrank.records import Reply
from synthrank.specs.paradigms import Asked, GradedParadigm


@dataclass(frozen=True, slots=True)
class Written:
    """The passages of a reply with their grades, best first; ``reason`` says why there are none.

    ``missing`` holds the levels that are not there; ``repaired`` lists what was cut.
    """

    passages: tuple[tuple[int, str], ...]
    reason: str = ""
    missing: tuple[int, ...] = ()
    repaired: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The passages as they are compared: in lower case."""
        return tuple(text.lower() for _, text in self.passages)


def read_written(reply: Reply, spec: Asked) -> Written:
    """Return the passages of a reply under its paradigm, each of grade 1 where it asks for no levels."""
    if isinstance(spec, GradedParadigm):
        graded = read_graded(reply, spec.levels, spec.quality)
        return Written(graded.passages, graded.reason, graded.missing, graded.repaired)
    one = read_passage(reply, spec.quality)
    return Written(() if one.reason else ((1, one.text),), one.reason, (), one.repaired)


def replies_wanted(spec: Asked) -> int:
    """Return how many usable replies a query needs: one a passage, or one with all levels."""
    return 1 if isinstance(spec, GradedParadigm) else spec.passages


def reasons_of(spec: Asked) -> tuple[str, ...]:
    """Return why a reply under a paradigm may be dropped."""
    return REASONS if isinstance(spec, GradedParadigm) else PASSAGE_REASONS


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
