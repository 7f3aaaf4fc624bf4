"""What the distillation study of an experiment consists of: its systems, and what language models are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthrank.specs.augmentations import LlmQueries, MixedQueries
from synthrank.specs.base import NONE
from synthrank.specs.paradigms import queryset_of
from synthrank.specs.recipes import DistilRecipe, OrderRecipe, Sized
from synthrank.specs.retrievers import Ordered

if TYPE_CHECKING:
    from synthrank.study import Study


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates of a query set that one language model orders."""

    corpus: str
    queryset: str
    pool: str
    ranking: str
    llm: str


def made(study: Study, recipes: Sequence[str], llms: Sequence[str]) -> list[tuple[str, str]]:
    """Return each recipe with each LLM, or once with ``none`` where no language model has a part in it.

    A recipe whose passages are human and whose queries are not stands once, with the LLM that wrote the queries.
    """
    return [
        (recipe, llm)
        for recipe in recipes
        for llm in (llms if study.is_generated(recipe) else query_writers(study, recipe) or (NONE,))
    ]


def query_writers(study: Study, recipe: str) -> list[str]:
    """Return the LLMs that wrote the queries of a recipe's pairs or levels, each once; augmentations name them."""
    if not isinstance(study.entities["recipes"][recipe], Sized):
        return []
    augmentations = study.entities["augmentations"]
    return list(dict.fromkeys(augmentations[name].llm for _, name in _asked_queries(study, [recipe])))


def recipes_of(study: Study) -> list[str]:
    """Return every recipe of the distillation study, those of its ablations included, each once."""
    twolar = study.twolar
    ablated = [name for ablation in twolar.ablations.values() for name in ablation.recipes]
    return list(dict.fromkeys([*twolar.recipes, *ablated]))


def suites_of(study: Study) -> tuple[str, ...]:
    """Return the suites of the distillation study: its own, or the experiment's."""
    return study.twolar.suites or study.experiment.suites


def reranked(study: Study, ranker: str, testset: str) -> str | None:
    """Return the retriever whose run a ranker reorders on a test set; None for one that searches."""
    found = study.entities["testsets"][testset].reranked(study.entities["rankers"][ranker].rerank)
    return found[0] if found else None


def first_stages(study: Study, testset: str) -> list[str]:
    """Return the retrievers that are measured on a test set: those named, and those that students reorder there."""
    own = [reranked(study, ranker, testset) for ranker in (*study.twolar.rankers, *study.twolar.untrained)]
    return list(dict.fromkeys([*study.twolar.first_stages, *(name for name in own if name)]))


def rankings(study: Study) -> list[Ranked]:
    """Return what language models order for the distillation study, each once: for recipes, then as first stages."""
    return list(dict.fromkeys([*_of_recipes(study), *_of_first_stages(study)]))


def _of_recipes(study: Study) -> Iterator[Ranked]:
    for name in recipes_of(study):
        recipe = study.entities["recipes"][name]
        if isinstance(recipe, OrderRecipe):
            for llm in study.twolar.llms:
                yield Ranked(recipe.corpus, recipe.queries, recipe.pool, recipe.ranking, llm)


def _of_first_stages(study: Study) -> Iterator[Ranked]:
    for name, testset in study.testsets_of(*suites_of(study)).items():
        for retriever in first_stages(study, name):
            spec = study.entities["retrievers"][retriever]
            if isinstance(spec, Ordered):
                yield Ranked(testset.corpus, testset.split, spec.pool, spec.ranking, spec.llm)


def written_passages(study: Study) -> list[tuple[str, str, str]]:
    """Return (corpus, paradigm, LLM) of all passages that language models write for both studies, each once."""
    asked = [(*pair, llm) for pair in study.generated() for llm in study.experiment.llms]
    if study.experiment.twolar:
        asked += [(*pair, llm) for pair in study.generated(recipes_of(study)) for llm in study.twolar.llms]
    return list(dict.fromkeys(asked))


def written_queries(study: Study) -> list[tuple[str, str]]:
    """Return (corpus, augmentation) of all queries that language models write for both studies, each once."""
    distilled = recipes_of(study) if study.experiment.twolar else []
    return _asked_queries(study, [*study.recipes, *distilled])


def _asked_queries(study: Study, recipes: Sequence[str]) -> list[tuple[str, str]]:
    """Return (corpus, augmentation) of all queries that language models write for recipes, each once."""
    specs = [study.entities["recipes"][name] for name in recipes]
    asked = [(item.corpus, item.queries) for item in specs if isinstance(item, OrderRecipe | DistilRecipe)]
    asked += [
        (item.corpus, queryset_of(study.entities["paradigms"][name]))
        for item in specs
        if isinstance(item, Sized)
        for name in item.paradigms
    ]
    parts = [(corpus, part) for corpus, queryset in asked for part in _parts(study, queryset)]
    return [
        (corpus, name)
        for corpus, name in dict.fromkeys(parts)
        if isinstance(study.entities["augmentations"][name], LlmQueries)
    ]


def _parts(study: Study, queryset: str) -> list[str]:
    """Return the augmentations that a query set is mixed of, itself if it is one; none for a split of a corpus."""
    spec = study.entities["augmentations"].get(queryset)
    if isinstance(spec, MixedQueries):
        return [name for part in spec.parts for name in _parts(study, part.augmentation)]
    return [queryset] if spec is not None else []
