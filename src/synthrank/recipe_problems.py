"""What may be wrong with recipes and first stages: where their data come from, what judges them, what they train on.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import TYPE_CHECKING

from synthrank.corpora_problems import reached, split_problems
from synthrank.errors import known
from synthrank.specs.corpora import TRAIN, MixedCorpus
from synthrank.specs.filters import LlmFilter, RankerFilter, RetrieverFilter, RoundTripFilter
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.specs.paradigms import (
    GeneratedParadigm,
    GradedParadigm,
    HumanParadigm,
    QueriedParadigm,
    rewords,
)
from synthrank.specs.rankers import PromptRanker, Reranker
from synthrank.specs.rankings import Pointwise, QueryLikelihood
from synthrank.specs.recipes import (
    DistilRecipe,
    GradedRecipe,
    OrderRecipe,
    PairsRecipe,
    Positives,
    Sized,
    TeacherRecipe,
)
from synthrank.specs.retrievers import Dense, Ordered, Reranked

if TYPE_CHECKING:
    from synthrank.study import Study


def recipe_problems(study: Study) -> Iterable[str]:
    """Yield one line for each recipe or first stage that cannot be made, or would be made wrongly."""
    for check in (_retrievers, _recipes, _guards, _filters, _teachers, _encoders):
        yield from check(study)


def _retrievers(study: Study) -> Iterable[str]:
    for name, retriever in study.entities["retrievers"].items():
        origin = f"{study.folder}/retrievers/{name}.yaml"
        if name in reached(name, lambda part: _first_stages(study, part)):
            yield f"{origin}: its run is made from its own run; a first stage must be there before what reorders it"
        if isinstance(retriever, Reranked):
            if not isinstance(study.entities["rankers"][retriever.ranker], Reranker):
                yield f"{origin}: ranker: got {retriever.ranker!r}; it must be a cross-encoder, seq2seq or decoder"
            if retriever.recipe and study.is_generated(retriever.recipe):
                yield f"{origin}: recipe: got {retriever.recipe!r}; it needs a language model, which no first stage has"


def _first_stages(study: Study, name: str) -> list[str]:
    """Return the retrievers whose runs the run of one is made from, or the model that makes it."""
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
            yield f"{origin}: corpus: got {recipe.corpus!r}; it is mixed, and for tests alone"
        elif isinstance(recipe, Sized):
            yield from split_problems(study, origin, recipe.corpus, TRAIN)
            yield from _written(study, origin, recipe)
        elif isinstance(recipe, TeacherRecipe) and recipe.split:
            yield from split_problems(study, origin, recipe.corpus, recipe.split)
            yield from _tested(study, f"{origin}: split", recipe.corpus, recipe.split)
        elif isinstance(recipe, OrderRecipe):
            names = {*study.entities["augmentations"], *study.entities["corpora"][recipe.corpus].splits}
            if recipe.queries not in names:
                yield f"{origin}: queries: got {recipe.queries!r}; no such augmentation or split ({known(names)})"
            yield from _tested(study, f"{origin}: queries", recipe.corpus, recipe.queries)
            pool = study.entities["pools"][recipe.pool]
            if recipe.source and (recipe.source not in pool.sources or pool.strategy != "per-query-source"):
                yield (
                    f"{origin}: source: got {recipe.source!r}; pool {recipe.pool!r} must take one source's list a "
                    f"query, and it among them (strategy {pool.strategy}, {known(pool.sources)})"
                )


def _written(study: Study, origin: str, recipe: Sized) -> Iterable[str]:
    """Yield a line for each paradigm whose passages a recipe cannot label: levels are for graded recipes alone."""
    graded = isinstance(recipe, GradedRecipe)
    key = "paradigm" if graded else "positives.paradigm"
    for paradigm in recipe.paradigms:
        if isinstance(study.entities["paradigms"][paradigm], GradedParadigm) != graded:
            wrong = "it must be graded" if graded else "it is graded; use a recipe of kind graded"
            yield f"{origin}: {key}: got {paradigm!r}; {wrong}"


def _tested(study: Study, origin: str, corpus: str, split: str) -> Iterable[str]:
    """Yield a line for each test set whose queries a recipe would train on."""
    for name, testset in study.entities["testsets"].items():
        asked = [(testset.corpus, testset.split)]
        mixed = study.entities["corpora"][testset.corpus]
        if isinstance(mixed, MixedCorpus):  # it asks the queries of another corpus
            asked.append((mixed.corpus, mixed.splits.get(testset.split, "")))
        if (corpus, split) in asked and split != TRAIN:
            yield f"{origin}: got {split!r}; test set {name!r} tests on it, so it must not train"


def _guards(study: Study) -> Iterable[str]:
    """Yield a line for each paradigm whose positives no run holds, although the guard takes their scores from one."""
    for name, recipe in study.entities["recipes"].items():
        guard = recipe.negatives.guard if isinstance(recipe, Sized) and recipe.negatives else None
        if guard is None or guard.max_share_of_positive is None or guard.scored_by:
            continue
        for paradigm in recipe.paradigms:
            if recipe.negatives.source == "human" and not _in_corpus(study, paradigm):
                yield (
                    f"{study.folder}/recipes/{name}.yaml: negatives.guard.scored_by: is not stated, but no run over "
                    f"the corpus holds the passages of paradigm {paradigm!r}, so max_share_of_positive has no score "
                    "of theirs; name a dense retriever there"
                )


def _in_corpus(study: Study, paradigm: str) -> bool:
    """Tell whether the passages of a paradigm have the ids of passages of the corpus."""
    spec = study.entities["paradigms"][paradigm]
    return isinstance(spec, HumanParadigm | QueriedParadigm) or rewords(spec)


def _filters(study: Study) -> Iterable[str]:
    """Yield one line for each filter that cannot judge, and each that leaves fewer pairs than its recipe takes."""
    for name, recipe in study.entities["recipes"].items():
        for positives in recipe.positives if isinstance(recipe, PairsRecipe) else ():
            origin = f"{study.folder}/recipes/{name}.yaml: positives.filter"
            yield from _judge(study, origin, positives)
            yield from _kept(study, origin, recipe.corpus, positives)


def _judge(study: Study, origin: str, positives: Positives) -> Iterator[str]:
    spec, kinds = positives.filter, study.entities
    if isinstance(spec, RankerFilter):
        yield from _unfit_reranker(study, f"{origin}.ranker", spec.ranker)
    elif isinstance(spec, LlmFilter):
        if not isinstance(kinds["rankings"][spec.ranking], Pointwise | QueryLikelihood):
            yield f"{origin}.ranking: got {spec.ranking!r}; it must be pointwise or query-likelihood"
        if isinstance(kinds["llms"][spec.llm], OpenAiLlm | GeminiLlm):
            yield f"{origin}.llm: got {spec.llm!r}; a hosted LLM gives no log-probabilities, name a local one"
    elif isinstance(spec, RoundTripFilter):
        if rewords(kinds["paradigms"][positives.paradigm]):
            yield (
                f"{origin}: got kind 'round-trip'; the passages of paradigm {positives.paradigm!r} are reworded, and "
                "no run holds them; name another kind"
            )
        depth = getattr(kinds["retrievers"][spec.retriever], "depth", None)
        if depth is not None and spec.depth > depth:
            yield f"{origin}.depth: got {spec.depth}; retriever {spec.retriever!r} keeps {depth}, state no more"


def _kept(study: Study, origin: str, corpus: str, positives: Positives) -> Iterator[str]:
    """Yield a line where a share of all passages that can be written is less than the queries of a recipe."""
    spec, paradigm = positives.filter, study.entities["paradigms"][positives.paradigm]
    share = getattr(spec, "keep_share", None)
    queries = study.entities["corpora"][corpus].queries_of(TRAIN)
    if share and queries and isinstance(paradigm, GeneratedParadigm):
        kept = ceil(share * queries * paradigm.passages)
        if kept < positives.queries:
            yield (
                f"{origin}.keep_share: got {share:g}; of at most {queries * paradigm.passages:,} pairs it keeps "
                f"{kept:,}, and the recipe wants {positives.queries:,} queries; keep more, or lower queries"
            )


def _teachers(study: Study) -> Iterable[str]:
    for name, recipe in study.entities["recipes"].items():
        if isinstance(recipe, PairsRecipe) and recipe.teacher:
            yield from _teacher(study, f"{study.folder}/recipes/{name}.yaml: teacher", recipe.teacher)


def _unfit_reranker(study: Study, origin: str, name: str) -> Iterator[str]:
    """Yield a line for a ranker that is named to score pairs and is no pretrained reranker."""
    ranker = study.entities["rankers"][name]
    if not isinstance(ranker, Reranker):
        yield f"{origin}: got {name!r}; it must be a cross-encoder, seq2seq or decoder"
    elif ranker.base.model is None:
        yield f"{origin}: got {name!r}; its base must be a pretrained model, which no recipe trains first"


def _teacher(study: Study, origin: str, teacher: str) -> Iterable[str]:
    """Yield a line for a teacher that is no pretrained reranker, or whose scores are no logits."""
    ranker, unfit = study.entities["rankers"][teacher], list(_unfit_reranker(study, origin, teacher))
    yield from unfit
    if not unfit and ranker.score == "softmax" and (isinstance(ranker, PromptRanker) or ranker.labels == 2):
        yield (
            f"{origin}: got {teacher!r}; its scores are probabilities, whose softmax tells passages hardly apart; name "
            "a ranker with score difference"
        )


def _encoders(study: Study) -> Iterable[str]:
    """Yield a line for each retriever named for its vectors that does not encode all texts with one model."""
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
            yield f"{origin}: got {retriever!r}; it must be dense"
        elif spec and spec.query_model:
            yield f"{origin}: got {retriever!r}; it has a query_model, but one model must encode both"
