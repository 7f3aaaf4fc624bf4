"""Checks of recipes and first stages: sources of data, filters, teachers and encoders.

Each check yields messages of one line: the file, the key, what is wrong, what is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import TYPE_CHECKING

from synthrank.config.consistency.corpora import reached, split_problems
from synthrank.config.corpora import TRAIN, MixedCorpus
from synthrank.config.filters import LlmFilter, RankerFilter, RetrieverFilter, RoundTripFilter
from synthrank.config.llms import GeminiLlm, OpenAiLlm
from synthrank.config.paradigms import (
    GeneratedParadigm,
    GradedParadigm,
    HumanParadigm,
    QueriedParadigm,
    rewords,
)
from synthrank.config.rankers import PromptRanker, Reranker
from synthrank.config.rankings import Pointwise, QueryLikelihood
from synthrank.config.recipes import (
    DistilRecipe,
    GradedRecipe,
    OrderRecipe,
    PairsRecipe,
    Positives,
    Sized,
    TeacherRecipe,
)
from synthrank.config.retrievers import Dense, Ordered, Reranked
from synthrank.errors import suggest

if TYPE_CHECKING:
    from synthrank.config.study import Study


def recipe_problems(study: Study) -> Iterable[str]:
    """Yield a line per problem of a recipe or first stage."""
    for check in (_retrievers, _recipes, _guards, _filters, _teachers, _encoders):
        yield from check(study)


def _retrievers(study: Study) -> Iterable[str]:
    for name, retriever in study.entities["retrievers"].items():
        origin = f"{study.folder}/retrievers/{name}.yaml"
        if name in reached(name, lambda part: _first_stages(study, part)):
            yield f"{origin}: its run depends on itself; use another first stage"
        if isinstance(retriever, Reranked):
            if not isinstance(study.entities["rankers"][retriever.ranker], Reranker):
                yield f"{origin}: ranker: {retriever.ranker!r} must be a cross-encoder, seq2seq or decoder"
            if retriever.recipe and study.is_generated(retriever.recipe):
                yield f"{origin}: recipe: {retriever.recipe!r} needs a language model; use a human recipe"


def _first_stages(study: Study, name: str) -> list[str]:
    """Return the retrievers that a retriever's run, or its model, depends on."""
    retriever = study.entities["retrievers"][name]
    if isinstance(retriever, Ordered):
        return list(study.entities["pools"][retriever.pool].sources)
    if not isinstance(retriever, Reranked):
        return []
    recipe = study.entities["recipes"][retriever.recipe] if retriever.recipe else None
    if isinstance(recipe, PairsRecipe):
        return [retriever.retriever, recipe.negatives.retriever]
    return [retriever.retriever, *([recipe.retriever] if isinstance(recipe, DistilRecipe) else [])]


def _recipes(study: Study) -> Iterable[str]:
    for name, recipe in study.entities["recipes"].items():
        origin = f"{study.folder}/recipes/{name}.yaml"
        if isinstance(study.entities["corpora"][recipe.corpus], MixedCorpus):
            yield f"{origin}: corpus: {recipe.corpus!r} is mixed, so only for testing; use another corpus"
        elif isinstance(recipe, Sized):
            yield from split_problems(study, origin, recipe.corpus, TRAIN)
            yield from _check_labels(study, origin, recipe)
        elif isinstance(recipe, TeacherRecipe) and recipe.split:
            yield from split_problems(study, origin, recipe.corpus, recipe.split)
            yield from _check_tested(study, f"{origin}: split", recipe.corpus, recipe.split)
        elif isinstance(recipe, OrderRecipe):
            names = {*study.entities["augmentations"], *study.entities["corpora"][recipe.corpus].splits}
            if recipe.queries not in names:
                known = suggest(recipe.queries, names)
                yield f"{origin}: queries: no augmentation or split named {recipe.queries!r}{known}"
            yield from _check_tested(study, f"{origin}: queries", recipe.corpus, recipe.queries)
            pool = study.entities["pools"][recipe.pool]
            if recipe.source and (recipe.source not in pool.sources or pool.strategy != "per-query-source"):
                yield (
                    f"{origin}: source: {recipe.source!r} needs a pool of strategy per-query-source with this source; "
                    f"pool {recipe.pool!r} has strategy {pool.strategy} and sources {', '.join(pool.sources)}"
                )


def _check_labels(study: Study, origin: str, recipe: Sized) -> Iterable[str]:
    """Yield a line per paradigm that does not fit its recipe: graded recipes need graded paradigms, and conversely."""
    graded = isinstance(recipe, GradedRecipe)
    key = "paradigm" if graded else "positives.paradigm"
    for paradigm in recipe.paradigms:
        if isinstance(study.entities["paradigms"][paradigm], GradedParadigm) != graded:
            wrong = "must be graded" if graded else "is graded; use a recipe of kind graded"
            yield f"{origin}: {key}: {paradigm!r} {wrong}"


def _check_tested(study: Study, origin: str, corpus: str, split: str) -> Iterable[str]:
    """Yield a line per test set with training queries of a recipe."""
    for name, testset in study.entities["testsets"].items():
        asked = [(testset.corpus, testset.split)]
        mixed = study.entities["corpora"][testset.corpus]
        if isinstance(mixed, MixedCorpus):  # its queries are those of another corpus
            asked.append((mixed.corpus, mixed.splits.get(testset.split, "")))
        if (corpus, split) in asked and split != TRAIN:
            yield f"{origin}: test set {name!r} tests on split {split!r}; train on another split"


def _guards(study: Study) -> Iterable[str]:
    """Yield a line per paradigm whose positives have no scores in a run, although the guard needs them."""
    for name, recipe in study.entities["recipes"].items():
        guard = recipe.negatives.guard if isinstance(recipe, Sized) and recipe.negatives else None
        if guard is None or guard.max_share_of_positive is None or guard.scored_by:
            continue
        for paradigm in recipe.paradigms:
            if recipe.negatives.source == "human" and not _in_corpus(study, paradigm):
                yield (
                    f"{study.folder}/recipes/{name}.yaml: missing key 'negatives.guard.scored_by': "
                    f"max_share_of_positive needs scores, but no run contains the passages of paradigm {paradigm!r}; "
                    "state a dense retriever"
                )


def _in_corpus(study: Study, paradigm: str) -> bool:
    """Return whether the passages of a paradigm have ids of the corpus."""
    spec = study.entities["paradigms"][paradigm]
    return isinstance(spec, HumanParadigm | QueriedParadigm) or rewords(spec)


def _filters(study: Study) -> Iterable[str]:
    """Yield a line per filter that cannot score, or that keeps fewer pairs than its recipe needs."""
    for name, recipe in study.entities["recipes"].items():
        for positives in recipe.positives if isinstance(recipe, PairsRecipe) else ():
            origin = f"{study.folder}/recipes/{name}.yaml: positives.filter"
            yield from _judge(study, origin, positives)
            yield from _check_kept_share(study, origin, recipe.corpus, positives)


def _judge(study: Study, origin: str, positives: Positives) -> Iterator[str]:
    spec, kinds = positives.filter, study.entities
    if isinstance(spec, RankerFilter):
        yield from _unfit_reranker(study, f"{origin}.ranker", spec.ranker)
    elif isinstance(spec, LlmFilter):
        if not isinstance(kinds["rankings"][spec.ranking], Pointwise | QueryLikelihood):
            yield f"{origin}.ranking: {spec.ranking!r} must be pointwise or query-likelihood"
        if isinstance(kinds["llms"][spec.llm], OpenAiLlm | GeminiLlm):
            yield f"{origin}.llm: {spec.llm!r} is hosted and returns no log-probabilities; use a local LLM"
    elif isinstance(spec, RoundTripFilter):
        if rewords(kinds["paradigms"][positives.paradigm]):
            yield (
                f"{origin}: kind round-trip needs a run with the passages, but paradigm {positives.paradigm!r} has "
                "reworded passages, which are in no run; use another kind"
            )
        depth = getattr(kinds["retrievers"][spec.retriever], "depth", None)
        if depth is not None and spec.depth > depth:
            retriever = f"retriever {spec.retriever!r}"
            yield f"{origin}.depth: {spec.depth} exceeds depth {depth} of {retriever}; state at most {depth}"


def _check_kept_share(study: Study, origin: str, corpus: str, positives: Positives) -> Iterator[str]:
    """Yield a line if ``keep_share`` keeps fewer passages than the recipe has queries."""
    spec, paradigm = positives.filter, study.entities["paradigms"][positives.paradigm]
    share = getattr(spec, "keep_share", None)
    queries = study.entities["corpora"][corpus].queries_of(TRAIN)
    if share and queries and isinstance(paradigm, GeneratedParadigm):
        kept = ceil(share * queries * paradigm.passages)
        if kept < positives.queries:
            yield (
                f"{origin}.keep_share: {share:g} keeps {kept:,} of at most {queries * paradigm.passages:,} pairs, but "
                f"the recipe needs {positives.queries:,} queries; raise keep_share or lower queries"
            )


def _teachers(study: Study) -> Iterable[str]:
    for name, recipe in study.entities["recipes"].items():
        if isinstance(recipe, PairsRecipe) and recipe.teacher:
            yield from _teacher(study, f"{study.folder}/recipes/{name}.yaml: teacher", recipe.teacher)


def _unfit_reranker(study: Study, origin: str, name: str) -> Iterator[str]:
    """Yield a line if a ranker that scores pairs is not a pretrained reranker."""
    ranker = study.entities["rankers"][name]
    if not isinstance(ranker, Reranker):
        yield f"{origin}: {name!r} must be a cross-encoder, seq2seq or decoder"
    elif ranker.base.model is None:
        yield f"{origin}: {name!r} must have a pretrained model as base, without a recipe"


def _teacher(study: Study, origin: str, teacher: str) -> Iterable[str]:
    """Yield a line if a teacher is not a pretrained reranker, or its scores are not logits."""
    ranker, unfit = study.entities["rankers"][teacher], list(_unfit_reranker(study, origin, teacher))
    yield from unfit
    if not unfit and ranker.score == "softmax" and (isinstance(ranker, PromptRanker) or ranker.labels == 2):
        yield (
            f"{origin}: the scores of {teacher!r} are probabilities, whose softmax is nearly uniform; use a ranker "
            "with score: difference"
        )


def _encoders(study: Study) -> Iterable[str]:
    """Yield a line per retriever that must encode all texts with one model, but does not."""
    validity = study.experiment.validity
    named = {
        "experiment: validity.retriever": validity and validity.retriever,
        "experiment: validity.leaks.retriever": validity and validity.leaks.retriever,
    }
    for name, recipe in study.entities["recipes"].items():
        if isinstance(recipe, Sized) and recipe.drop_leaks:
            named[f"{study.folder}/recipes/{name}.yaml: drop_leaks.retriever"] = recipe.drop_leaks.retriever
        if isinstance(recipe, PairsRecipe):
            named |= {
                f"{study.folder}/recipes/{name}.yaml: positives.filter.retriever": item.filter.retriever
                for item in recipe.positives
                if isinstance(item.filter, RetrieverFilter)
            }
        if isinstance(recipe, Sized) and recipe.negatives:
            named[f"{study.folder}/recipes/{name}.yaml: negatives.guard.scored_by"] = recipe.negatives.guard.scored_by
        if isinstance(recipe, DistilRecipe):
            named[f"{study.folder}/recipes/{name}.yaml: teacher"] = recipe.teacher
    for origin, retriever in named.items():
        spec = study.entities["retrievers"][retriever] if retriever else None
        if spec and not isinstance(spec, Dense):
            yield f"{origin}: {retriever!r} must be a dense retriever"
        elif spec and spec.query_model:
            yield f"{origin}: {retriever!r} has a query_model; use a retriever with one model for queries and passages"
