"""The false-negative guard: which candidates are no negatives of a query, because they may answer it.

A candidate is left out if it is known to be relevant, has the text of a relevant passage (a copy), has too many words
of the positive, or scores almost as high as the positive (the positive-aware cut, Moreira et al. 2024).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from synthrank.encodings import Encoder, Vectors
from synthrank.records import WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.recipes import Guard
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.texts import id_texts, known_texts, text_key
from synthrank.trec import Run
from synthrank.wording import words_of

KEPT = 200_000
"""Vectors of candidates that are kept for further queries; with 768 dimensions they take 600 MB."""


def allowed(
    ranked: Iterable[str], text_of: Mapping[str, str], positive: WrittenPassage, known: set[str], guard: Guard
) -> list[str]:
    """Return the candidates, best first, that may serve as negatives.

    Args:
        ranked: candidates of a run, best first.
        text_of: their texts.
        positive: the positive that they would be negatives of.
        known: passages that are relevant to its query.
        guard: what to leave out. ``skip_top`` counts before anything else is left out; an overlap is the share of the
            candidate's distinct words that the positive has too.
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


def copies(
    written: Sequence[WrittenPassage], known: Mapping[str, set[str]], passages: Path
) -> dict[str, frozenset[str]]:
    """Return, per query, the passages of a file that have the text of a relevant one and are not known themselves.

    Texts are the same by :func:`synthrank.texts.text_key`. The file is read twice, and the texts of relevant passages
    are held.

    Args:
        written: the positives of all queries of the recipe.
        known: per query the ids of the passages that are relevant to it; those that are not in the file have no copy
            by it.
        passages: the passages that negatives come from.
    """
    queries_of: dict[str, set[str]] = defaultdict(set)
    asked = set()
    for item in written:
        asked.add(item.query_id)
        queries_of[text_key(item.text)].add(item.query_id)
    text_of = known_texts(passages, (name for query in asked for name in known.get(query, ())))
    for query in asked:
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
    """Scores a positive and its candidates alike."""

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the score of a positive for its query, None where it has none, and those of candidates."""


class RunScorer:
    """Takes the scores of the run that candidates come from; a positive that it does not hold has none."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the run's scores."""
        scores = dict(self._run.get(item.query_id, []))
        return scores.get(item.id), [scores[name] for name in names]


class ModelScorer:
    """Takes the similarities of a dense model. A candidate is encoded once, unless there are very many."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Vectors] = {}

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the similarities of the query to each."""
        if len(self._vectors) > KEPT:
            self._vectors.clear()
        texts = list(dict.fromkeys([item.text, *(text_of[name] for name in names)]))
        new = [text for text in texts if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._encoder.passages(new), strict=True))
        query = self._encoder.queries([item.query])[0]
        return float(self._vectors[item.text] @ query), [float(self._vectors[text_of[name]] @ query) for name in names]


def open_scorer(guard: Guard, run: Run, retriever: Sequence[Path], model: Sequence[Path]) -> Scorer | None:
    """Return what scores positives and candidates; None where there is no cut.

    Args:
        guard: states ``max_share_of_positive``, or none.
        run: the run that candidates come from, which scores where no retriever is given.
        retriever: the entity file of the dense retriever that scores; may be empty.
        model: the folder of its model.
    """
    if guard.max_share_of_positive is None:
        return None
    if not retriever:
        return RunScorer(run)
    from synthrank.retrievers.dense import open_encoder  # loads torch, which other recipes need not wait for

    return ModelScorer(open_encoder(load(RetrieverSpec, retriever[0]), model[0]))


def limit(positive: float, share: float) -> float:
    """Return the highest score that a negative may have: ``share`` of the positive's.

    A positive's score below 0 has its limit as far below it as one above 0 of the same size, s - (1 - share) |s|, as
    ``relative_margin`` of sentence-transformers' ``mine_hard_negatives`` has it: a share of a negative score alone
    would let candidates pass that score higher than the positive.
    """
    return positive - (1 - share) * abs(positive)


def below_limit(
    names: list[str],
    text_of: Mapping[str, str],
    positive: WrittenPassage,
    scorer: Scorer,
    guard: Guard,
    count: Counter[str],
) -> list[str]:
    """Return the candidates whose score is not above the share of the positive's that the guard states.

    ``count`` counts the others as ``negatives_too_near``, and a positive without a score as ``positives_unscored``.
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
