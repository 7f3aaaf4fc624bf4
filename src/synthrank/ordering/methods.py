"""From what ``config/rankings`` says to the sort, the asker and the prompt that do it."""

from collections.abc import Mapping, Sequence
from typing import Any

from synthrank.ordering.askers import ScoreAsker, TextAsker
from synthrank.ordering.asking import Question, labels
from synthrank.ordering.sorts import Sort, all_pairs, bubble, by_score, duels, heap, listwise, name_best
from synthrank.prompts import Prompt
from synthrank.reading.choice import read_choice
from synthrank.reading.ranking import read_ranking
from synthrank.specs.rankings import Listwise, Pairwise, Pointwise, RankingSpec, Setwise


def sort_of(spec: RankingSpec, count: int) -> Sort[Any]:
    """Return the sort of a ranking over so many candidates."""
    if isinstance(spec, Listwise):
        return listwise(count, spec.window, spec.step, spec.passes)
    if isinstance(spec, Setwise):
        sort = heap if spec.sort == "heap" else bubble
        return sort(count, spec.compared, spec.top, name_best)
    if isinstance(spec, Pairwise):
        if spec.sort == "all-pairs":
            return all_pairs(count)
        # A binary heap compares a node with its two children, two at a time; a bubble rises past one after the other.
        return heap(count, 3, spec.top, duels) if spec.sort == "heap" else bubble(count, 2, spec.top, duels)
    return by_score(count)


def asker_of(spec: RankingSpec, prompt: Prompt, texts: Mapping[str, str]) -> TextAsker[Any] | ScoreAsker[Any]:
    """Return what puts a ranking's questions to a model, by text or by log-probabilities."""
    if isinstance(spec, Listwise):
        return TextAsker(prompt, texts, read_ranking)
    if isinstance(spec, Setwise | Pairwise):
        if spec.answer == "text":
            return TextAsker(prompt, texts, read_choice)
        return ScoreAsker(prompt, texts, _labels, _likeliest)
    if isinstance(spec, Pointwise):
        return ScoreAsker(prompt, texts, lambda _: (spec.positive, spec.negative), _difference)
    return ScoreAsker(prompt, texts, _query, sum)


def _labels(question: Question) -> list[str]:
    return labels(len(question.shown))


def _likeliest(scores: Sequence[float]) -> int:
    """Return the place of the highest; of equal ones the first."""
    return max(range(len(scores)), key=lambda place: scores[place])


def _difference(scores: Sequence[float]) -> float:
    positive, negative = scores
    return positive - negative


def _query(question: Question) -> list[str]:
    return [question.pool.query]
