"""Candidates that language models order."""

from collections import Counter
from collections.abc import Iterator

from synthrank.config.distillation import Ranked, rankings
from synthrank.config.llms import LlmSpec
from synthrank.config.rankings import RankingSpec
from synthrank.config.study import Study
from synthrank.data.records import Pool, Pooled, Request
from synthrank.llms.prompts import Prompt, read_prompt
from synthrank.llms.reranking.questions import Question, prompt_values
from synthrank.llms.store.pricing import prompt_tokens, thought_tokens
from synthrank.workflow.plan.llm_cost import PASSAGE_WORDS, QUERY_WORDS, Line, RequestCounts, price_requests, words
from synthrank.workflow.plan.queries import query_count
from synthrank.workflow.plan.question_counts import is_bound, shown_sizes

TOKENS_PER_PLACE = 5
"""Tokens per passage of a ranking in a reply: ``[12] >`` in the vocabularies of both providers."""

TOKENS_PER_CHOICE = 2
"""Tokens of a reply that is a letter, and the end-of-text token."""


def ranking_lines(study: Study) -> Iterator[Line]:
    """Yield one line per ranking and LLM, for all candidates of all queries, as if no reply were stored."""
    for item in rankings(study):
        spec = study.entities["llms"][item.llm]
        name = f"{item.queryset}/{item.pool}/{item.ranking}"
        yield price_requests("rank_candidates", item.corpus, name, item.llm, spec, _request_counts(study, item, spec))


def _request_counts(study: Study, item: Ranked, llm: LlmSpec) -> RequestCounts:
    ranking: RankingSpec = study.entities["rankings"][item.ranking]
    prompt = read_prompt(study.prompt_file(ranking.prompt))
    sizes = Counter(shown_sizes(ranking, study.entities["pools"][item.pool].depth))
    questions = sum(sizes.values())
    read = sum(count * prompt_tokens(_example(prompt, ranking, size)) for size, count in sizes.items())
    written = sum(count * _reply_tokens(ranking, llm, size) for size, count in sizes.items())
    return RequestCounts(
        query_count(study, item.corpus, item.queryset) * questions,
        read / max(1, questions),
        round(written / max(1, questions)),
        counted="at most" if is_bound(ranking) else "estimated",
    )


def _reply_tokens(ranking: RankingSpec, llm: LlmSpec, shown: int) -> int:
    if ranking.scores:
        return 0
    written = shown * TOKENS_PER_PLACE if ranking.kind == "listwise" else TOKENS_PER_CHOICE
    return min(written, llm.sampling.max_new_tokens) + thought_tokens(llm)


def _example(prompt: Prompt, ranking: RankingSpec, shown: int) -> Request:
    """Return a request with ``shown`` passages of ordinary length, cut as the ranking states."""
    text = words(min(ranking.passage_words or PASSAGE_WORDS, PASSAGE_WORDS))
    candidates = tuple(Pooled(str(place), {}) for place in range(shown))
    question = Question(Pool("", words(QUERY_WORDS), candidates), tuple(range(shown)), 0)
    texts = {candidate.id: text for candidate in candidates}
    return Request("", "", prompt.render(**prompt_values(question, texts, prompt.inputs)))
