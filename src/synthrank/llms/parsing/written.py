"""Read the replies of a paradigm, with one passage or one passage per level, and plan the next requests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from synthrank.config.paradigms import AskedParadigm, GradedParadigm
from synthrank.data.files import read_jsonl
from synthrank.data.records import Reply
from synthrank.errors import ShardError
from synthrank.llms.parsing.graded import REASONS, read_graded
from synthrank.llms.parsing.passage import REASONS as PASSAGE_REASONS
from synthrank.llms.parsing.passage import read_passage


@dataclass(frozen=True, slots=True)
class Written:
    """The passages of a reply with their grades, best first, or the ``reason`` why the reply is not usable.

    ``missing`` contains the levels that the reply lacks; ``repaired`` names what was cut.
    """

    passages: tuple[tuple[int, str], ...]
    reason: str = ""
    missing: tuple[int, ...] = ()
    repaired: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts in lower case, for comparison."""
        return tuple(text.lower() for _, text in self.passages)


def read_written(reply: Reply, spec: AskedParadigm) -> Written:
    """Return the passages of a reply under its paradigm, with grade 1 if the paradigm has no levels."""
    if isinstance(spec, GradedParadigm):
        graded = read_graded(reply, spec.levels, spec.quality)
        return Written(graded.passages, graded.reason, graded.missing, graded.repaired)
    one = read_passage(reply, spec.quality)
    return Written(() if one.reason else ((1, one.text),), one.reason, (), one.repaired)


def count_wanted(spec: AskedParadigm) -> int:
    """Return the number of usable replies per query: one per passage, or one with all levels."""
    return 1 if isinstance(spec, GradedParadigm) else spec.passages


def list_reasons(spec: AskedParadigm) -> tuple[str, ...]:
    """Return the reasons why a reply under a paradigm may be dropped."""
    return REASONS if isinstance(spec, GradedParadigm) else PASSAGE_REASONS


class Rounds:
    """Plans requests in rounds: in each round, a query gets as many requests as it lacks usable replies.

    A query gets at most ``quality.attempts`` requests per wanted reply. Identical replies count once. The requests of a
    query depend only on its own earlier replies.
    """

    def __init__(self, queries: Iterable[str], spec: AskedParadigm) -> None:
        """Prepare the first round.

        Args:
            queries: the query ids, in order.
            spec: the paradigm: conditions for a usable reply, replies per query, and attempts.
        """
        self._spec, self._wanted = spec, count_wanted(spec)
        self._usable: dict[str, set[tuple[str, ...]]] = {name: set() for name in queries}
        self._asks = dict.fromkeys(self._usable, 0)

    def asks(self) -> list[tuple[str, int]]:
        """Return the (query id, sample) of the next round, in the order of the queries; empty after the last round."""
        most = self._wanted * self._spec.quality.attempts
        batch: list[tuple[str, int]] = []
        for name, usable in self._usable.items():
            start = self._asks[name]
            self._asks[name] = min(most, start + self._wanted - len(usable))
            batch += [(name, sample) for sample in range(start, self._asks[name])]
        return batch

    def take(self, reply: Reply) -> Written:
        """Count a reply of the round if it is usable, and return its passages."""
        written = read_written(reply, self._spec)
        if not written.reason:
            self._usable[reply.query_id].add(written.texts)
        return written


def read_rounds(path: Path, queries: Iterable[str], spec: AskedParadigm) -> Iterator[tuple[int, Reply, Written]]:
    """Yield the number of the round, the reply and its passages, for each line of a file of replies.

    The requests of a round are recomputed from the earlier replies.

    Args:
        path: every reply, by round, in the order of the queries.
        queries: the query ids, in order.
        spec: the paradigm of the requests.

    Raises:
        ShardError: the file lacks a reply, or has another one.
    """
    rounds, came, count = Rounds(queries, spec), read_jsonl(path, Reply), 0
    for number, asks in enumerate(iter(rounds.asks, [])):
        count += len(asks)
        for name, sample in asks:
            reply = next(came, None)
            if reply is None or (reply.query_id, reply.sample) != (name, sample):
                raise ShardError(f"{path}: reply {sample} to query {name} is missing; delete the file and run again")
            yield number, reply, rounds.take(reply)
    if next(came, None):
        raise ShardError(f"{path}: more than the {count:,} expected replies; delete the file and run again")
