"""The two ways to query a model: by its replies, or by the log-probabilities of given replies."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from synthrank.data.records import Ask, Message, Reply, Request
from synthrank.errors import ModelError
from synthrank.llms.parsing.refusals import is_refusal
from synthrank.llms.parsing.status import Read, Status
from synthrank.llms.parsing.thoughts import read_answer
from synthrank.llms.prompts import Prompt
from synthrank.llms.reranking.questions import Answered, Question, prompt_values

T = TypeVar("T")

Pair: TypeAlias = tuple[tuple[Message, ...], str]
"""A conversation, and a reply to score."""


class TextAsker(Generic[T]):
    """Sends requests and reads the replies."""

    def __init__(self, prompt: Prompt, texts: Mapping[str, str], read: Callable[[str, int], Read[T]]) -> None:
        """Prepare.

        Args:
            prompt: the prompt, rendered for each question.
            texts: the texts of all passages by id.
            read: parses a reply about a given number of passages.
        """
        self._prompt, self._texts, self._read = prompt, texts, read

    def asks(self, question: Question) -> list[Request]:
        """Return one request; its id has the query and the question, to be unique in a batch of questions."""
        messages = self._prompt.render(**prompt_values(question, self._texts, self._prompt.inputs))
        name = f"{question.pool.query_id}#{question.step}"
        return [Request(name, question.pool.query, messages, sample=question.attempt)]

    def read(self, question: Question, answers: Sequence[Reply]) -> Answered[T]:
        """Return the parsed reply; a reply cut at the token limit is parsed too, a blocked reply is malformed."""
        (reply,) = answers
        answer = read_answer(reply)
        read = self._read(answer.text, len(question.shown))
        if answer.notes and read.value is not None:
            read = replace(read, status=Status.REPAIRED)
        notes = (*answer.notes, *read.notes)
        if reply.finish_reason == "blocked":
            read, notes = Read(None, Status.MALFORMED), ("blocked",)
        elif reply.finish_reason == "length":
            notes = (*notes, "truncated")
        elif read.value is None and is_refusal(answer.text):
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
    """Scores given replies and decides by their log-probabilities."""

    def __init__(
        self,
        prompt: Prompt,
        texts: Mapping[str, str],
        replies: Callable[[Question], Sequence[str]],
        decide: Callable[[Sequence[float]], T],
    ) -> None:
        """Prepare.

        Args:
            prompt: the prompt, rendered for each question.
            texts: the texts of all passages by id.
            replies: returns the replies to score for a question.
            decide: returns the answer by the log-probabilities of these replies, in nats.
        """
        self._prompt, self._texts, self._replies, self._decide = prompt, texts, replies, decide

    def asks(self, question: Question) -> list[Pair]:
        """Return one pair per reply."""
        messages = self._prompt.render(**prompt_values(question, self._texts, self._prompt.inputs))
        return [(messages, reply) for reply in self._replies(question)]

    def read(self, question: Question, answers: Sequence[float]) -> Answered[T]:
        """Return the answer by the log-probabilities.

        Raises:
            ModelError: a log-probability is not finite.
        """
        if not all(map(math.isfinite, answers)):
            raise ModelError(
                f"query {question.pool.query_id}: the log-probability of a reply to {', '.join(question.ids)} is "
                f"{', '.join(map(str, answers))}; use dtype bfloat16 or float32"
            )
        text = " ".join(f"{score:.6f}" for score in answers)
        ask = Ask(question.pool.query_id, question.step, question.ids, text, Status.WELL_FORMED)
        return Answered(Read(self._decide(answers), Status.WELL_FORMED), ask)
