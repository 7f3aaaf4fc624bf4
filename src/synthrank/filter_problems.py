"""What may be wrong with the filters of positives although every recipe is right by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import TYPE_CHECKING

from synthrank.specs.corpora import TRAIN
from synthrank.specs.filters import LlmFilter, RankerFilter, RoundTripFilter
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.specs.paradigms import GeneratedParadigm, rewords
from synthrank.specs.rankers import Reranker
from synthrank.specs.rankings import Pointwise, QueryLikelihood
from synthrank.specs.recipes import PairsRecipe, Positives

if TYPE_CHECKING:
    from synthrank.study import Study


def filter_problems(study: Study) -> Iterable[str]:
    """Yield one line for each filter that cannot judge, and each that leaves fewer pairs than its recipe takes."""
    for name, recipe in study.entities["recipes"].items():
        for positives in recipe.positives if isinstance(recipe, PairsRecipe) else ():
            origin = f"{study.folder}/recipes/{name}.yaml: positives.filter"
            yield from _judge(study, origin, positives)
            yield from _enough(study, origin, recipe.corpus, positives)


def unfit_reranker(study: Study, origin: str, name: str) -> Iterator[str]:
    """Yield a line for a ranker that is named to score pairs and is no pretrained reranker."""
    ranker = study.entities["rankers"][name]
    if not isinstance(ranker, Reranker):
        yield f"{origin}: got {name!r}; it must be a cross-encoder, seq2seq or decoder"
    elif ranker.base.model is None:
        yield f"{origin}: got {name!r}; its base must be a pretrained model, which no recipe trains first"


def _judge(study: Study, origin: str, positives: Positives) -> Iterator[str]:
    spec, kinds = positives.filter, study.entities
    if isinstance(spec, RankerFilter):
        yield from unfit_reranker(study, f"{origin}.ranker", spec.ranker)
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


def _enough(study: Study, origin: str, corpus: str, positives: Positives) -> Iterator[str]:
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
