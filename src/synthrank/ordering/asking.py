"""One query's talk with a model: what a sort wants to know, put into a prompt, asked, read, and kept as it came."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from string import ascii_uppercase
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from synthrank.ordering.sorts import Shown, Sort
from synthrank.ordering.together import Talk
from synthrank.reading.status import Read
from synthrank.records import Ask, Pool

Q = TypeVar("Q")
A = TypeVar("A")
A_contra = TypeVar("A_contra", contravariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """Candidates of a query that are shown together, by their places in its pool.

    ``step`` counts the questions of the query from 0, ``attempt`` how often this one was asked before.
    """

    pool: Pool
    shown: Shown
    step: int
    attempt: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The shown passages."""
        return tuple(self.pool.candidates[place].id for place in self.shown)


class Answered(NamedTuple, Generic[T]):
    """What was read of the answers to a question, the record of them, and the snapshot of the model that gave them."""

    read: Read[T]
    ask: Ask
    snapshot: str = ""


class Asker(Protocol[Q, A_contra, T]):
    """Puts questions to a kind of model and reads its answers."""

    def asks(self, question: Question) -> list[Q]:
        """Return what is to be asked for a question."""
        ...

    def read(self, question: Question, answers: Sequence[A_contra]) -> Answered[T]:
        """Return what the answers to :meth:`asks` say."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a talk came to: the order, everything that was asked, and how many questions stayed without an answer.

    ``snapshots`` are those of the model, sorted. A row of the shards of a ranking.
    """

    pool: Pool
    ids: tuple[str, ...]
    asks: tuple[Ask, ...]
    questions: int
    unanswered: int
    snapshots: tuple[str, ...]

    @property
    def malformed_share(self) -> float:
        """Share of the questions that stayed without an answer."""
        return self.unanswered / self.questions if self.questions else 0.0


def talk(pool: Pool, sort: Sort[T], asker: Asker[Q, A, T], attempts: int) -> Talk[Q, A, Outcome]:
    """Order the candidates of a query.

    A question that was asked before is not asked again, and fewer than two candidates ask nothing.

    Args:
        pool: the query and its candidates.
        sort: over the places of the candidates.
        asker: puts its questions to a model.
        attempts: how often a question is asked until its answer can be read; each time is another sample.

    Returns:
        by way of the generator, the outcome.
    """
    known: dict[Shown, Answered[T]] = {}
    asks: list[Ask] = []
    snapshots: set[str] = set()
    order = list(range(len(pool.candidates)))
    try:
        wanted = next(sort) if len(order) > 1 else []
        while wanted:
            fresh = [shown for shown in dict.fromkeys(wanted) if shown not in known]
            questions = [Question(pool, shown, len(known) + place) for place, shown in enumerate(fresh)]
            for attempt in range(attempts):
                if questions:
                    answered = yield from _asked([replace(item, attempt=attempt) for item in questions], asker)
                    known |= answered
                    asks += [item.ask for item in answered.values()]
                    snapshots |= {item.snapshot for item in answered.values()}
                    questions = [item for item in questions if answered[item.shown].read.value is None]
            wanted = sort.send([known[shown].read.value for shown in wanted])
    except StopIteration as stop:
        order = stop.value
    return Outcome(
        pool,
        tuple(pool.candidates[place].id for place in order),
        tuple(asks),
        len(known),
        sum(item.read.value is None for item in known.values()),
        tuple(sorted(snapshots - {""})),
    )


def _asked(
    questions: Sequence[Question], asker: Asker[Q, A, T]
) -> Generator[list[Q], Sequence[A], dict[Shown, Answered[T]]]:
    """Ask questions together, and return what each answer says."""
    parts = [asker.asks(question) for question in questions]
    came = iter((yield [item for part in parts for item in part]))
    return {
        question.shown: asker.read(question, list(islice(came, len(part))))
        for question, part in zip(questions, parts, strict=True)
    }


class ShownPassage(NamedTuple):
    """A passage as a prompt sees it: its number from 1, its letter from A (none after Z), its text."""

    number: int
    label: str
    text: str


def labels(count: int) -> list[str]:
    """Return the letters of so many passages."""
    return [ascii_uppercase[place : place + 1] for place in range(count)]


def prompt_values(question: Question, texts: Mapping[str, str], inputs: frozenset[str]) -> dict[str, Any]:
    """Return what a prompt takes of a question: of query, passages and passage those that are among its inputs."""
    shown = zip(question.ids, labels(len(question.ids)), strict=True)
    passages = [ShownPassage(number, label, texts[name]) for number, (name, label) in enumerate(shown, 1)]
    values = {"query": question.pool.query, "passages": passages, "passage": passages[0]}
    return {name: value for name, value in values.items() if name in inputs}
