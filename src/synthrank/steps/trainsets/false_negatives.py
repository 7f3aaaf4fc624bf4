"""The false-negative guard, which removes candidates that may answer the query.

A candidate is removed if it is known to be relevant, is a copy of a relevant passage, shares too many words with the
positive, or scores almost as high as the positive (the positive-aware cut, Moreira et al. 2024).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from synthrank.config.base import load
from synthrank.config.recipes import Guard
from synthrank.config.retrievers import RetrieverSpec
from synthrank.data.passage_texts import find_texts, id_texts, text_key
from synthrank.data.records import WrittenPassage
from synthrank.data.trec import Run
from synthrank.data.words import words_of
from synthrank.vectors.store import Encoder, Vectors

KEPT = 200_000
"""Vectors of candidates in the cache; with 768 dimensions they take 600 MB."""


def drop_false_negatives(
    ranked: Iterable[str], text_of: Mapping[str, str], positive: WrittenPassage, known: set[str], guard: Guard
) -> list[str]:
    """Return the candidates that may be negatives, best first.

    Args:
        ranked: candidates of a run, best first.
        text_of: the texts of the candidates.
        positive: the positive of the group.
        known: the relevant passages of its query.
        guard: the guard. ``skip_top`` applies before other removals; the overlap is the share of the candidate's
            distinct words that the positive also has.
    """
    text = text_key(positive.text)
    words = set(words_of(positive.text))
    kept = []
    for place, name in enumerate(ranked):
        if place < guard.skip_top or name == positive.id or text_key(text_of[name]) == text:
            continue
        if guard.known_positives and name in known:
            continue
        own = set(words_of(text_of[name]))
        if len(own & words) > guard.max_overlap * len(own):
            continue
        kept.append(name)
    return kept


def find_copies(
    written: Sequence[WrittenPassage], known: Mapping[str, set[str]], passages: Path
) -> dict[str, frozenset[str]]:
    """Return, per query, the passages of a file that have the text of a relevant passage and another id.

    Texts are compared by :func:`synthrank.data.passage_texts.text_key`. The file is read twice, and memory holds the
    texts of relevant passages.

    Args:
        written: the positives of all queries of the recipe.
        known: per query, the ids of its relevant passages; their texts are read from the file.
        passages: the passages of the negatives.
    """
    queries_of: dict[str, set[str]] = defaultdict(set)
    queries = set()
    for item in written:
        queries.add(item.query_id)
        queries_of[text_key(item.text)].add(item.query_id)
    text_of = find_texts(passages, (name for query in queries for name in known.get(query, ())))
    for query in queries:
        for name in known.get(query, set()) & text_of.keys():
            queries_of[text_key(text_of[name])].add(query)
    found: dict[str, set[str]] = defaultdict(set)
    for name, text in id_texts(passages):
        for query in queries_of.get(text_key(text), ()):
            found[query].add(name)
    own = {(item.query_id, item.id) for item in written}
    return {
        query: frozenset(name for name in names - known.get(query, set()) if (query, name) not in own)
        for query, names in found.items()
    }


class Scorer(Protocol):
    """Scorer of a positive and its candidates."""

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the score of a positive for its query, or None if it has no score, and the scores of candidates."""


class RunScorer:
    """Scorer that uses the run of the candidates; a positive that is not in the run has no score."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the run's scores."""
        scores = dict(self._run.get(item.query_id, []))
        return scores.get(item.id), [scores[name] for name in names]


class ModelScorer:
    """Scorer that uses the similarities of a dense model, with a cache of vectors."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Vectors] = {}

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the similarities of the query to the positive and to the candidates."""
        if len(self._vectors) > KEPT:
            self._vectors.clear()
        texts = list(dict.fromkeys([item.text, *(text_of[name] for name in names)]))
        new = [text for text in texts if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._encoder.passages(new), strict=True))
        query = self._encoder.queries([item.query])[0]
        return float(self._vectors[item.text] @ query), [float(self._vectors[text_of[name]] @ query) for name in names]


def open_scorer(guard: Guard, run: Run, retriever: Sequence[Path], model: Sequence[Path]) -> Scorer | None:
    """Return the scorer of positives and candidates, or None if the guard has no cut.

    Args:
        guard: the guard, which states ``max_share_of_positive`` for a cut.
        run: the run of the candidates, whose scores are used without a retriever.
        retriever: the entity file of the dense retriever that scores; empty to use the run.
        model: the folder of its model.
    """
    if guard.max_share_of_positive is None:
        return None
    if not retriever:
        return RunScorer(run)
    from synthrank.retrievers.dense import open_encoder  # imports torch, which other recipes do not need

    return ModelScorer(open_encoder(load(RetrieverSpec, retriever[0]), model[0]))


def limit(positive: float, share: float) -> float:
    """Return the highest score that a negative may have: ``share`` of the positive's.

    The limit is s - (1 - share) |s| for a positive's score s, as for ``relative_margin`` of sentence-transformers'
    ``mine_hard_negatives``. For a negative score, share * s would accept candidates above the positive.
    """
    return positive - (1 - share) * abs(positive)


def keep_below_limit(
    names: list[str],
    text_of: Mapping[str, str],
    positive: WrittenPassage,
    scorer: Scorer,
    guard: Guard,
    count: Counter[str],
) -> list[str]:
    """Return the candidates whose score is at most the guard's share of the positive's score.

    ``count`` counts the removed candidates as ``negatives_too_near``, and a positive without a score as
    ``positives_unscored``.
    """
    score, scores = scorer.scores(positive, names, text_of)
    if score is None:
        count["positives_unscored"] += 1
        return names
    highest = limit(score, guard.max_share_of_positive or 1)
    kept = [name for name, score in zip(names, scores, strict=True) if score <= highest]
    if len(kept) < len(names):
        count["negatives_too_near"] += len(names) - len(kept)
    return kept
