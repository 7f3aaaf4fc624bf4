"""Step distil_trainset: candidates of a first stage, labelled with a dense model's similarity."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.records import Candidate, Group, Query
from synthrank.retrievers.dense import open_encoder
from synthrank.specs.base import load
from synthrank.specs.recipes import DistilRecipe, RecipeSpec
from synthrank.specs.retrievers import Dense, RetrieverSpec
from synthrank.texts import texts_of
from synthrank.trec import read_run
from synthrank.vectors import TextEncoder

log = logging.getLogger(__name__)


def distil_trainset(
    *,
    spec: Path,
    queries: Path,
    run: Path,
    passages: Path,
    held_out: list[Path],
    teacher: Path,
    model: Path,
    trainset: Path,
    stats: Path,
) -> None:
    """Build one group a query: its candidates with the cosine that the teacher gives them, best first.

    The passage that the query was made from is left out, because it would be found by its own words, and so is every
    passage that answers a query of a held-out split.

    Args:
        spec: the recipe's entity file.
        queries: the queries.
        run: the first stage's run of them.
        passages: the passages of the corpus.
        held_out: qrels of the splits that training must not see.
        teacher: the dense retriever's entity file.
        model: the folder of its model.
        trainset: written: the groups.
        stats: written: how many groups and candidates.

    Raises:
        BudgetError: no query has two candidates.
    """
    recipe: DistilRecipe = load(RecipeSpec, spec)
    settings: Dense = load(RetrieverSpec, teacher)
    excluded, ranked = excluded_passages(held_out), read_run(run)
    asked = list(read_jsonl(queries, Query))
    candidates = {
        query.id: [name for name, _ in ranked.get(query.id, []) if name not in excluded and name != query.source][
            : recipe.depth
        ]
        for query in asked
    }
    asked = [query for query in asked if len(candidates[query.id]) > 1]
    if not asked:
        raise BudgetError(f"{run}: no query has two candidates; a first stage over a larger corpus is needed")
    text_of = texts_of(passages, {name for query in asked for name in candidates[query.id]})
    groups = _labelled(asked, candidates, text_of, open_encoder(settings, model), recipe.retriever)
    log.info("%d groups of %d queries", len(groups), len(candidates))
    write_jsonl(trainset, groups)
    write_json(
        stats,
        {
            "queries": len(candidates),
            "groups": len(groups),
            "candidates": sum(len(group.candidates) for group in groups),
        },
    )


def _labelled(
    asked: Sequence[Query],
    candidates: Mapping[str, Sequence[str]],
    text_of: Mapping[str, str],
    encoder: TextEncoder,
    source: str,
) -> list[Group]:
    """Return a group for each query, its candidates labelled with their cosine to it."""
    names = sorted(text_of)
    vector_of = dict(zip(names, encoder.passages([text_of[name] for name in names]), strict=True))
    groups = []
    for query, vector in zip(asked, encoder.queries([query.text for query in asked]), strict=True):
        cosines = np.stack([vector_of[name] for name in candidates[query.id]]) @ vector
        labelled = [
            Candidate(name, text_of[name], round(float(cosine), 6), source)
            for name, cosine in zip(candidates[query.id], cosines, strict=True)
        ]
        groups.append(Group(query.id, query.text, tuple(sorted(labelled, key=_by_label))))
    return groups


def _by_label(candidate: Candidate) -> tuple[float, str]:
    return -candidate.label, candidate.id
