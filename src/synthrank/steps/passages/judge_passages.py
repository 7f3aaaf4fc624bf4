"""Step judge_passages: score each generated passage for its query with a language model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import load
from synthrank.config.llms import LlmSpec
from synthrank.config.rankings import Pointwise, QueryLikelihood, RankingSpec
from synthrank.data.pair_scores import Pair, write_pair_scores
from synthrank.data.records import Pool, Pooled
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.llms.prompts import Prompt, read_prompt
from synthrank.llms.reranking.methods import asker_of
from synthrank.llms.reranking.questions import Question


def judge_passages(*, passages: Path, ranking: Path, prompt: Path, llm: Path, model: list[Path], scores: Path) -> None:
    """Score pairs of query and passage as a pointwise or query-likelihood ranking scores candidates.

    A pointwise ranking gives log p(yes) - log p(no), in nats. Query likelihood gives the log-probability of the query
    (Sachan et al. 2022, UPR) divided by its number of words, so that the scores of short and long queries are
    comparable.

    Args:
        passages: the generated passages.
        ranking: the ranking's entity file, of kind pointwise or query-likelihood.
        prompt: the ranking's prompt file.
        llm: the LLM's entity file.
        model: the folder of the local model; empty for other LLMs.
        scores: written: the scores, one list per query.

    Raises:
        ModelError: the model gives no log-probabilities, or a prompt is too long for it.
    """
    spec: Pointwise | QueryLikelihood = load(RankingSpec, ranking)
    template = read_prompt(prompt)
    backend = open_stored(load(LlmSpec, llm), model[0] if model else None)
    write_pair_scores(passages, lambda pairs: _score_pairs(pairs, spec, template, backend), scores)


def _score_pairs(pairs: Sequence[Pair], spec: Pointwise | QueryLikelihood, prompt: Prompt, llm: Llm) -> list[float]:
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
