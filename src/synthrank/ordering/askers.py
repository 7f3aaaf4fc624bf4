"""The two ways in which a model answers: by what it writes, and by how likely it finds what it could have written."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

from synthrank.errors import ModelError
from synthrank.ordering.asking import Answered, Question, prompt_values
from synthrank.prompts import Prompt
from synthrank.reading.status import Read, Status, is_refusal
from synthrank.records import Ask, Message, Reply, Request

T = TypeVar("T")

Pair: TypeAlias = tuple[tuple[Message, ...], str]
"""A conversation, and a reply to it whose likelihood is asked for."""


class TextAsker(Generic[T]):
    """Has the model write, and reads that."""

    def __init__(self, prompt: Prompt, texts: Mapping[str, str], read: Callable[[str, int], Read[T]]) -> None:
        """Prepare.

        Args:
            prompt: is rendered for each question.
            texts: of all passages, by id.
            read: returns what a reply says about so many passages.
        """
        self._prompt, self._texts, self._read = prompt, texts, read

    def asks(self, question: Question) -> list[Request]:
        """Return one request; its id is the query's and the question's, since a model is asked many at once."""
        messages = self._prompt.render(**prompt_values(question, self._texts, self._prompt.inputs))
        name = f"{question.pool.query_id}#{question.step}"
        return [Request(name, question.pool.query, messages, sample=question.attempt)]

    def read(self, question: Question, answers: Sequence[Reply]) -> Answered[T]:
        """Return what the reply says; a cut one is read as far as it goes, a withheld one is malformed."""
        (reply,) = answers
        read = self._read(reply.text, len(question.shown))
        notes = read.notes
        if reply.finish_reason == "blocked":
            read, notes = Read(None, Status.MALFORMED), ("blocked",)
        elif reply.finish_reason == "length":
            notes = (*notes, "truncated")
        elif read.value is None and is_refusal(reply.text.strip()):
            notes = (*notes, "refusal")
        ask = Ask(
            question.pool.query_id,
            question.step,
            question.ids,
            reply.text,
            read.status,
            notes,
            key=reply.key,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            price_usd=reply.price_usd,
        )
        return Answered(read, ask, reply.snapshot)


class ScoreAsker(Generic[T]):
    """Has the model say how likely it finds certain replies, and decides by that."""

    def __init__(
        self,
        prompt: Prompt,
        texts: Mapping[str, str],
        replies: Callable[[Question], Sequence[str]],
        decide: Callable[[Sequence[float]], T],
    ) -> None:
        """Prepare.

        Args:
            prompt: is rendered for each question.
            texts: of all passages, by id.
            replies: returns the replies whose log-probabilities a question takes.
            decide: returns what these log-probabilities, in nats, mean.
        """
        self._prompt, self._texts, self._replies, self._decide = prompt, texts, replies, decide

    def asks(self, question: Question) -> list[Pair]:
        """Return one pair a reply."""
        messages = self._prompt.render(**prompt_values(question, self._texts, self._prompt.inputs))
        return [(messages, reply) for reply in self._replies(question)]

    def read(self, question: Question, answers: Sequence[float]) -> Answered[T]:
        """Return what the log-probabilities mean.

        Raises:
            ModelError: one is not finite, so that it says nothing about any order.
        """
        if not all(map(math.isfinite, answers)):
            raise ModelError(
                f"query {question.pool.query_id}: the log-probability of a reply to {', '.join(question.ids)} is "
                f"{', '.join(map(str, answers))}; take dtype bfloat16 or float32"
            )
        text = " ".join(f"{score:.6f}" for score in answers)
        ask = Ask(question.pool.query_id, question.step, question.ids, text, Status.WELL_FORMED)
        return Answered(Read(self._decide(answers), Status.WELL_FORMED), ask)
