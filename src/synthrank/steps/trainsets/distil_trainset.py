"""Step distil_trainset: label candidates of a first stage with the similarity of a dense model."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from synthrank.config.base import load
from synthrank.config.recipes import DistilRecipe, RecipeSpec
from synthrank.config.retrievers import Dense, RetrieverSpec
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Candidate, Group, Query
from synthrank.data.trec import read_run
from synthrank.errors import BudgetError
from synthrank.retrievers.dense import open_encoder
from synthrank.vectors.encoder import TextEncoder

log = logging.getLogger(__name__)


def distil_trainset(
    *,
    spec: Path,
    queries: Path,
    run: Path,
    passages: Path,
    excluded: Path,
    teacher: Path,
    model: Path,
    trainset: Path,
    stats: Path,
) -> None:
    """Build one group per query: its candidates, labelled with the teacher's cosine, best first.

    The passage that the query was made from is left out, because the query contains its words. Passages that answer a
    query of a held-out split are also left out.

    Args:
        spec: the recipe's entity file.
        queries: the queries.
        run: the first stage's run for the queries.
        passages: the passages of the corpus.
        excluded: the file of passages that training must not use.
        teacher: the dense retriever's entity file.
        model: the folder of its model.
        trainset: the groups to write.
        stats: the numbers of queries, groups and candidates to write.

    Raises:
        BudgetError: no query has two candidates.
    """
    recipe: DistilRecipe = load(RecipeSpec, spec)
    settings: Dense = load(RetrieverSpec, teacher)
    excluded_ids, ranked = read_excluded(excluded), read_run(run)
    known = list(read_jsonl(queries, Query))
    candidates = {
        query.id: [name for name, _ in ranked.get(query.id, []) if name not in excluded_ids and name != query.source][
            : recipe.depth
        ]
        for query in known
    }
    usable = [query for query in known if len(candidates[query.id]) > 1]
    if not usable:
        raise BudgetError(f"{run}: no query has two candidates; use a first stage on a larger corpus")
    text_of = texts_of(passages, {name for query in usable for name in candidates[query.id]})
    groups = _label(usable, candidates, text_of, open_encoder(settings, model), recipe.retriever)
    log.info("%d groups from %d queries", len(groups), len(candidates))
    write_jsonl(trainset, groups)
    write_json(
        stats,
        {
            "queries": len(candidates),
            "groups": len(groups),
            "candidates": sum(len(group.candidates) for group in groups),
        },
    )


def _label(
    queries: Sequence[Query],
    candidates: Mapping[str, Sequence[str]],
    text_of: Mapping[str, str],
    encoder: TextEncoder,
    source: str,
) -> list[Group]:
    """Return one group per query, with candidates labelled by their cosine to the query."""
    names = sorted(text_of)
    vector_of = dict(zip(names, encoder.passages([text_of[name] for name in names]), strict=True))
    groups = []
    for query, vector in zip(queries, encoder.queries([query.text for query in queries]), strict=True):
        cosines = np.stack([vector_of[name] for name in candidates[query.id]]) @ vector
        labelled = [
            Candidate(name, text_of[name], round(float(cosine), 6), source)
            for name, cosine in zip(candidates[query.id], cosines, strict=True)
        ]
        groups.append(Group(query.id, query.text, tuple(sorted(labelled, key=_get_sort_key))))
    return groups


def _get_sort_key(candidate: Candidate) -> tuple[float, str]:
    return -candidate.label, candidate.id
