"""Passages that language models write for training queries."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from synthrank.config.corpora import PROMPT_INPUTS, TRAIN, BuiltCorpus
from synthrank.config.distillation import written_passages
from synthrank.config.draws import Draws
from synthrank.config.llms import GeminiLlm, OpenAiLlm
from synthrank.config.paradigms import AskedParadigm, GradedParadigm
from synthrank.config.study import Study
from synthrank.data.files import read_jsonl
from synthrank.data.paths import REQUESTS
from synthrank.data.records import Exemplar, Request
from synthrank.llms.base import request_key, reseed
from synthrank.llms.hosted import identity
from synthrank.llms.parsing.written import count_wanted
from synthrank.llms.prompts import read_prompt
from synthrank.llms.store.pricing import prompt_tokens, reply_tokens
from synthrank.llms.store.store import ReplyStore, folder_of
from synthrank.workflow.plan.llm_cost import (
    PASSAGE_WORDS,
    QUERY_WORDS,
    Line,
    RequestCounts,
    count_queries,
    price_requests,
    words,
)


def passage_lines(study: Study, results: Path, store: Path) -> Iterator[Line]:
    """Yield one line per paradigm, LLM and draw, including the recipes of the distillation study.

    Passages that all training seeds share are requested only once. Otherwise the line names the draw.

    Every reply is assumed to be usable, because the number of repeated requests is unknown.
    """
    draws = Draws(study)
    each = [(*asked, draw) for asked in written_passages(study) for draw in draws.passages(asked[1])]
    for corpus, paradigm, llm, draw in each:
        path = results / REQUESTS(corpus=corpus, paradigm=paradigm, draw=draw) / "requests.jsonl"
        requests = list(read_jsonl(path, Request)) if path.is_file() else None
        spec = reseed(study.entities["llms"][llm], draws.of_part("generation", draw))
        times = count_wanted(study.entities["paradigms"][paradigm])
        if requests is None:
            count, mean = count_queries(study, corpus, TRAIN), float(prompt_tokens(_example(study, corpus, paradigm)))
            asked = RequestCounts(count * times, mean, reply_tokens(spec))
        else:
            mean = sum(map(prompt_tokens, requests)) / max(1, len(requests))
            every = [replace(request, sample=sample) for request in requests for sample in range(times)]
            asked = RequestCounts(len(every), mean, reply_tokens(spec), _count_stored(spec, every, store), "yes")
        name = f"{paradigm}, draw {draw}" if draw else paradigm
        yield price_requests("generate_passages", corpus, name, llm, spec, asked)


def _count_stored(spec: object, requests: list[Request], store: Path) -> int:
    """Return the number of requests to a hosted model whose replies are stored."""
    if not isinstance(spec, OpenAiLlm | GeminiLlm) or not store.is_dir():
        return 0
    keys = {request_key(identity(spec), request) for request in requests}
    with ReplyStore(folder_of(store, spec.model)) as replies:
        return len(replies.find(keys))


def _example(study: Study, corpus: str, paradigm: str) -> Request:
    """Return a request of ordinary size for a paradigm."""
    spec: AskedParadigm = study.entities["paradigms"][paradigm]
    stated: BuiltCorpus = study.entities["corpora"][corpus]
    prompt = read_prompt(study.prompt_file(spec.prompt))
    values: dict[str, object] = {"query": words(QUERY_WORDS)}
    if isinstance(spec, GradedParadigm):
        values["levels"] = list(spec.levels)
    elif spec.exemplars:
        text = words(spec.exemplars.words or stated.passage_words or PASSAGE_WORDS)
        shown = Exemplar("", text, "", str(values["query"]) if spec.exemplars.kind == "pairs" else "")
        values["exemplars"] = [shown] * spec.exemplars.count
    values |= {key: getattr(stated, key) for key in PROMPT_INPUTS if key in prompt.inputs}
    return Request("", "", prompt.render(**values))
