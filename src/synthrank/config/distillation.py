"""The parts of an experiment's distillation study: its systems and its requests to language models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthrank.config.augmentations import LlmQueries, MixedQueries
from synthrank.config.base import NONE
from synthrank.config.paradigms import queryset_of
from synthrank.config.recipes import DistilRecipe, OrderRecipe, Sized
from synthrank.config.retrievers import Ordered

if TYPE_CHECKING:
    from synthrank.config.study import Study


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates of a query set that a language model ranks."""

    corpus: str
    queryset: str
    pool: str
    ranking: str
    llm: str


def pair_recipes_with_llms(study: Study, recipes: Sequence[str], llms: Sequence[str]) -> list[tuple[str, str]]:
    """Return each recipe with each LLM, or once with ``none`` if it uses no language model.

    A recipe with human passages and generated queries occurs once, with the LLM of the queries.
    """
    return [
        (recipe, llm)
        for recipe in recipes
        for llm in (llms if study.is_generated(recipe) else query_writers(study, recipe) or (NONE,))
    ]


def query_writers(study: Study, recipe: str) -> list[str]:
    """Return the LLMs of the augmentations that make a recipe's queries."""
    if not isinstance(study.entities["recipes"][recipe], Sized):
        return []
    augmentations = study.entities["augmentations"]
    return list(dict.fromkeys(augmentations[name].llm for _, name in _list_written_queries(study, [recipe])))


def recipes_of(study: Study) -> list[str]:
    """Return the recipes of the distillation study and its ablations."""
    twolar = study.twolar
    ablated = [name for ablation in twolar.ablations.values() for name in ablation.recipes]
    return list(dict.fromkeys([*twolar.recipes, *ablated]))


def suites_of(study: Study) -> tuple[str, ...]:
    """Return the suites of the distillation study, by default those of the experiment."""
    return study.twolar.suites or study.experiment.suites


def find_reranked(study: Study, ranker: str, testset: str) -> str | None:
    """Return the retriever whose run a ranker reorders on a test set, or None if the ranker searches."""
    found = study.entities["testsets"][testset].reranked(study.entities["rankers"][ranker].rerank)
    return found[0] if found else None


def first_stages(study: Study, testset: str) -> list[str]:
    """Return the retrievers that are measured on a test set: the stated ones and the first stages of students."""
    own = [find_reranked(study, ranker, testset) for ranker in (*study.twolar.rankers, *study.twolar.untrained)]
    return list(dict.fromkeys([*study.twolar.first_stages, *(name for name in own if name)]))


def rankings(study: Study) -> list[Ranked]:
    """Return the rankings by language models in the distillation study: those of recipes, then first stages."""
    return list(dict.fromkeys([*_rank_for_recipes(study), *_rank_for_first_stages(study)]))


def _rank_for_recipes(study: Study) -> Iterator[Ranked]:
    for name in recipes_of(study):
        recipe = study.entities["recipes"][name]
        if isinstance(recipe, OrderRecipe):
            for llm in study.twolar.llms:
                yield Ranked(recipe.corpus, recipe.queries, recipe.pool, recipe.ranking, llm)


def _rank_for_first_stages(study: Study) -> Iterator[Ranked]:
    for name, testset in study.testsets_of(*suites_of(study)).items():
        for retriever in first_stages(study, name):
            spec = study.entities["retrievers"][retriever]
            if isinstance(spec, Ordered):
                yield Ranked(testset.corpus, testset.split, spec.pool, spec.ranking, spec.llm)


def written_passages(study: Study) -> list[tuple[str, str, str]]:
    """Return each (corpus, paradigm, LLM) whose passages both studies need."""
    asked = [(*pair, llm) for pair in study.generated() for llm in study.experiment.llms]
    if study.experiment.twolar:
        asked += [(*pair, llm) for pair in study.generated(recipes_of(study)) for llm in study.twolar.llms]
    return list(dict.fromkeys(asked))


def written_queries(study: Study) -> list[tuple[str, str]]:
    """Return each (corpus, augmentation) whose queries a language model writes for both studies."""
    distilled = recipes_of(study) if study.experiment.twolar else []
    return _list_written_queries(study, [*study.recipes, *distilled])


def _list_written_queries(study: Study, recipes: Sequence[str]) -> list[tuple[str, str]]:
    """Return each (corpus, augmentation) whose queries a language model writes for recipes."""
    specs = [study.entities["recipes"][name] for name in recipes]
    asked = [(item.corpus, item.queries) for item in specs if isinstance(item, OrderRecipe | DistilRecipe)]
    asked += [
        (item.corpus, queryset_of(study.entities["paradigms"][name]))
        for item in specs
        if isinstance(item, Sized)
        for name in item.paradigms
    ]
    parts = [(corpus, part) for corpus, queryset in asked for part in _list_parts(study, queryset)]
    return [
        (corpus, name)
        for corpus, name in dict.fromkeys(parts)
        if isinstance(study.entities["augmentations"][name], LlmQueries)
    ]


def _list_parts(study: Study, queryset: str) -> list[str]:
    """Return the unmixed augmentations of a query set, or an empty list for a split of a corpus."""
    spec = study.entities["augmentations"].get(queryset)
    if isinstance(spec, MixedQueries):
        return [name for part in spec.parts for name in _list_parts(study, part.augmentation)]
    return [queryset] if spec is not None else []
