"""Queries that language models write for passages."""

from collections.abc import Iterator
from math import ceil

from synthrank.distillation import written_queries
from synthrank.llms.pricing import prompt_tokens, thought_tokens
from synthrank.plan.line import PASSAGE_WORDS, QUERY_WORDS, Asked, Line, priced, queries_of, words
from synthrank.prompts import read_prompt
from synthrank.records import Exemplar, Request
from synthrank.specs.augmentations import LlmQueries
from synthrank.specs.llms import LlmSpec
from synthrank.study import Study

TOKENS_PER_QUERY = 2 * QUERY_WORDS
"""What a query costs in a reply: its words, and a number or a mark before it."""


def query_lines(study: Study) -> Iterator[Line]:
    """Yield one line for each augmentation by a language model that recipes of either study need."""
    for corpus, name in written_queries(study):
        spec: LlmQueries = study.entities["augmentations"][name]
        llm: LlmSpec = study.entities["llms"][spec.llm]
        written = min(spec.per_passage * TOKENS_PER_QUERY, llm.sampling.max_new_tokens) + thought_tokens(llm)
        passages = ceil(spec.count / spec.per_passage)
        asked = Asked(passages, prompt_tokens(_example(study, spec)), written)
        yield priced("ask_queries", corpus, name, spec.llm, llm, asked)


def query_count(study: Study, corpus: str, queryset: str) -> int:
    """Return how many queries a query set has: of an augmentation those before its filters.

    Raises:
        ConfigError: it is a split, and the corpus does not say.
    """
    spec = study.entities["augmentations"].get(queryset)
    return spec.most if spec is not None else queries_of(study, corpus, queryset)


def _example(study: Study, spec: LlmQueries) -> Request:
    """Return a request about a passage of ordinary length, cut as the augmentation says."""
    prompt = read_prompt(study.prompt_file(spec.prompt))
    text = words(min(spec.passage_words, PASSAGE_WORDS))
    values: dict[str, object] = {"passage": text}
    if spec.exemplars:
        values["exemplars"] = [Exemplar("", text, "", words(QUERY_WORDS))] * spec.exemplars
    return Request("", "", prompt.render(**values))
