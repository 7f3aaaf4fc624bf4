"""Step judge_passages: how relevant a language model finds each passage to the query that it was written for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthrank.judging import Pair, write_scores
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.ordering.asking import Question
from synthrank.ordering.methods import asker_of
from synthrank.prompts import Prompt, read_prompt
from synthrank.records import Pool, Pooled
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.rankings import Pointwise, QueryLikelihood, RankingSpec


def judge_passages(*, passages: Path, ranking: Path, prompt: Path, llm: Path, model: list[Path], scores: Path) -> None:
    """Score pairs as a ranking scores candidates, one passage at a time.

    A pointwise ranking gives log p(yes) - log p(no) (nats). That of query likelihood gives the log-probability of the
    query (Sachan et al. 2022, UPR) per word of it, because the scores of different queries are compared here, and a
    longer query is less likely whatever the passage.

    Args:
        passages: the written passages.
        ranking: the ranking's entity file, of kind pointwise or query-likelihood.
        prompt: its prompt file.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        scores: written: the scores, one list a query.

    Raises:
        ModelError: the model gives no log-probabilities, or a prompt is too long for it.
    """
    spec: Pointwise | QueryLikelihood = load(RankingSpec, ranking)
    template = read_prompt(prompt)
    backend = open_stored(load(LlmSpec, llm), model[0] if model else None)
    write_scores(passages, lambda pairs: _scores(pairs, spec, template, backend), scores)


def _scores(pairs: Sequence[Pair], spec: Pointwise | QueryLikelihood, prompt: Prompt, llm: Llm) -> list[float]:
    texts = {name: " ".join(text.split()[: spec.passage_words]) for _, name, text in pairs}
    asker: Any = asker_of(spec, prompt, texts)
    questions = [Question(Pool(query.id, query.text, (Pooled(name, {}),)), (0,), 0) for query, name, _ in pairs]
    asks = [asker.asks(question) for question in questions]
    answers = iter(llm.score([ask for those in asks for ask in those]))
    found: list[float] = [
        asker.read(question, [next(answers) for _ in those]).read.value
        for question, those in zip(questions, asks, strict=True)
    ]
    if isinstance(spec, Pointwise):
        return found
    return [score / max(1, len(query.text.split())) for score, (query, _, _) in zip(found, pairs, strict=True)]
