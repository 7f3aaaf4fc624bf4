"""Candidates that language models order."""

from collections import Counter
from collections.abc import Iterator

from synthrank.distillation import Ranked, rankings
from synthrank.llms.pricing import prompt_tokens, thought_tokens
from synthrank.ordering.asking import Question, prompt_values
from synthrank.plan.line import PASSAGE_WORDS, QUERY_WORDS, Asked, Line, priced, words
from synthrank.plan.queries import query_count
from synthrank.plan.questions import is_bound, shown_sizes
from synthrank.prompts import Prompt, read_prompt
from synthrank.records import Pool, Pooled, Request
from synthrank.specs.llms import LlmSpec
from synthrank.specs.rankings import RankingSpec
from synthrank.study import Study

TOKENS_PER_PLACE = 5
"""What a place of an order costs in a reply: ``[12] >`` in the vocabularies of both providers."""

TOKENS_PER_CHOICE = 2
"""A letter, and the end."""


def ranking_lines(study: Study) -> Iterator[Line]:
    """Yield one line for each ranking by each LLM, of every candidate of every query, none of it being stored."""
    for item in rankings(study):
        spec = study.entities["llms"][item.llm]
        name = f"{item.queryset}/{item.pool}/{item.ranking}"
        yield priced("rank_candidates", item.corpus, name, item.llm, spec, _asked(study, item, spec))


def _asked(study: Study, item: Ranked, llm: LlmSpec) -> Asked:
    ranking: RankingSpec = study.entities["rankings"][item.ranking]
    prompt = read_prompt(study.prompt_file(ranking.prompt))
    sizes = Counter(shown_sizes(ranking, study.entities["pools"][item.pool].depth))
    questions = sum(sizes.values())
    read = sum(count * prompt_tokens(_example(prompt, ranking, size)) for size, count in sizes.items())
    written = sum(count * _reply_tokens(ranking, llm, size) for size, count in sizes.items())
    return Asked(
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
    """Return a question about so many passages of ordinary length, cut as the ranking says."""
    text = words(min(ranking.passage_words or PASSAGE_WORDS, PASSAGE_WORDS))
    candidates = tuple(Pooled(str(place), {}) for place in range(shown))
    question = Question(Pool("", words(QUERY_WORDS), candidates), tuple(range(shown)), 0)
    texts = {candidate.id: text for candidate in candidates}
    return Request("", "", prompt.render(**prompt_values(question, texts, prompt.inputs)))
