"""Run a sort over the candidates of one query: send its comparisons to a model, and record requests and replies."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from string import ascii_uppercase
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from synthrank.data.records import Ask, Pool
from synthrank.llms.parsing.status import Read
from synthrank.llms.reranking.rounds import Conversation
from synthrank.llms.reranking.sorts import Shown, Sort

Q = TypeVar("Q")
A = TypeVar("A")
A_contra = TypeVar("A_contra", contravariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """Candidates of a query that are shown together, as places in its pool.

    ``step`` numbers the questions of the query from 0. ``attempt`` is the number of earlier attempts at this question.
    """

    pool: Pool
    shown: Shown
    step: int
    attempt: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the shown passages."""
        return tuple(self.pool.candidates[place].id for place in self.shown)


class Answered(NamedTuple, Generic[T]):
    """The parsed answer to a question, its record, and the snapshot of the model."""

    read: Read[T]
    ask: Ask
    snapshot: str = ""


class Asker(Protocol[Q, A_contra, T]):
    """Turns questions into a model's inputs and reads its answers."""

    def asks(self, question: Question) -> list[Q]:
        """Return the model inputs of a question."""
        ...

    def read(self, question: Question, answers: Sequence[A_contra]) -> Answered[T]:
        """Return the parsed answers to the inputs of :meth:`asks`."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a conversation: the ranking, all requests, and the number of questions without a usable answer.

    ``snapshots`` are the model's snapshots, sorted. A shard of a ranking has one row per outcome.
    """

    pool: Pool
    ids: tuple[str, ...]
    asks: tuple[Ask, ...]
    questions: int
    unanswered: int
    snapshots: tuple[str, ...]

    @property
    def malformed_share(self) -> float:
        """Share of the questions without a usable answer."""
        return self.unanswered / self.questions if self.questions else 0.0


def converse(pool: Pool, sort: Sort[T], asker: Asker[Q, A, T], attempts: int) -> Conversation[Q, A, Outcome]:
    """Rank the candidates of a query.

    Each question is sent once. Fewer than two candidates need no question.

    Args:
        pool: the query and its candidates.
        sort: a sort of the places of the candidates.
        asker: turns questions into model inputs and reads the answers.
        attempts: the most attempts per question until an answer can be read; each attempt is another sample.

    Returns:
        the outcome, as the generator's return value.
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
                    answered = yield from _ask_together([replace(item, attempt=attempt) for item in questions], asker)
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


def _ask_together(
    questions: Sequence[Question], asker: Asker[Q, A, T]
) -> Generator[list[Q], Sequence[A], dict[Shown, Answered[T]]]:
    """Send several questions together, and return the answer to each."""
    parts = [asker.asks(question) for question in questions]
    came = iter((yield [item for part in parts for item in part]))
    return {
        question.shown: asker.read(question, list(islice(came, len(part))))
        for question, part in zip(questions, parts, strict=True)
    }


class ShownPassage(NamedTuple):
    """A passage as a template receives it: its number from 1, its letter from A (empty after Z), its text."""

    number: int
    label: str
    text: str


def labels(count: int) -> list[str]:
    """Return the letters of ``count`` passages."""
    return [ascii_uppercase[place : place + 1] for place in range(count)]


def prompt_values(question: Question, texts: Mapping[str, str], inputs: frozenset[str]) -> dict[str, Any]:
    """Return the values of a prompt's inputs: those of ``query``, ``passages`` and ``passage`` that it declares."""
    shown = zip(question.ids, labels(len(question.ids)), strict=True)
    passages = [ShownPassage(number, label, texts[name]) for number, (name, label) in enumerate(shown, 1)]
    values = {"query": question.pool.query, "passages": passages, "passage": passages[0]}
    return {name: value for name, value in values.items() if name in inputs}
