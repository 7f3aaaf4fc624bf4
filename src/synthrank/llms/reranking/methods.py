"""Build the sort and the asker that a file of ``config/rankings`` describes."""

from collections.abc import Mapping, Sequence
from typing import Any

from synthrank.config.rankings import Listwise, Pairwise, Pointwise, RankingSpec, Setwise
from synthrank.llms.parsing.choice import read_choice
from synthrank.llms.parsing.ranking import read_ranking
from synthrank.llms.prompts import Prompt
from synthrank.llms.reranking.askers import ScoreAsker, TextAsker
from synthrank.llms.reranking.questions import Question, labels
from synthrank.llms.reranking.sorts import Sort, all_pairs, bubble, by_score, duels, heap, listwise, name_best


def sort_of(spec: RankingSpec, count: int) -> Sort[Any]:
    """Return the sort of a ranking over ``count`` candidates."""
    if isinstance(spec, Listwise):
        return listwise(count, spec.window, spec.step, spec.passes)
    if isinstance(spec, Setwise):
        sort = heap if spec.sort == "heap" else bubble
        return sort(count, spec.compared, spec.top, name_best)
    if isinstance(spec, Pairwise):
        if spec.sort == "all-pairs":
            return all_pairs(count)
        # A binary heap compares a node with its two children in pairs; a bubble sort compares neighbours.
        return heap(count, 3, spec.top, duels) if spec.sort == "heap" else bubble(count, 2, spec.top, duels)
    return by_score(count)


def asker_of(spec: RankingSpec, prompt: Prompt, texts: Mapping[str, str]) -> TextAsker[Any] | ScoreAsker[Any]:
    """Return the asker of a ranking, by text or by log-probabilities."""
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
    """Return the place of the highest score, the first one if several are equal."""
    return max(range(len(scores)), key=lambda place: scores[place])


def _difference(scores: Sequence[float]) -> float:
    positive, negative = scores
    return positive - negative


def _query(question: Question) -> list[str]:
    return [question.pool.query]
