"""Queries that language models write for passages."""

from collections.abc import Iterator
from math import ceil

from synthrank.config.augmentations import LlmQueries
from synthrank.config.distillation import written_queries
from synthrank.config.llms import LlmSpec
from synthrank.config.study import Study
from synthrank.data.records import Exemplar, Request
from synthrank.llms.prompts import read_prompt
from synthrank.llms.store.pricing import prompt_tokens, query_reply_tokens
from synthrank.workflow.plan.llm_cost import (
    PASSAGE_WORDS,
    QUERY_WORDS,
    Line,
    RequestCounts,
    count_queries,
    price_requests,
    words,
)


def query_lines(study: Study) -> Iterator[Line]:
    """Yield one line per augmentation by a language model that recipes of either study need."""
    for corpus, name in written_queries(study):
        spec: LlmQueries = study.entities["augmentations"][name]
        llm: LlmSpec = study.entities["llms"][spec.llm]
        passages = ceil(spec.count / spec.per_passage)
        asked = RequestCounts(passages, prompt_tokens(_example(study, spec)), query_reply_tokens(llm, spec.per_passage))
        yield price_requests("ask_queries", corpus, name, spec.llm, llm, asked)


def query_count(study: Study, corpus: str, queryset: str) -> int:
    """Return the number of queries of a split, or of an augmentation before its filters.

    Raises:
        ConfigError: the corpus does not state the number of queries of the split.
    """
    spec = study.entities["augmentations"].get(queryset)
    return spec.most if spec is not None else count_queries(study, corpus, queryset)


def _example(study: Study, spec: LlmQueries) -> Request:
    """Return a request about a passage of ordinary length, cut as the augmentation states."""
    prompt = read_prompt(study.prompt_file(spec.prompt))
    text = words(min(spec.passage_words, PASSAGE_WORDS))
    values: dict[str, object] = {"passage": text}
    if spec.exemplars:
        values["exemplars"] = [Exemplar("", text, "", words(QUERY_WORDS))] * spec.exemplars
    return Request("", "", prompt.render(**values))
