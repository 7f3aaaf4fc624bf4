"""Passages that language models write for training queries."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from synthrank.distillation import written_passages
from synthrank.draws import Draws, request_folder
from synthrank.files import read_jsonl
from synthrank.llms.base import of_draw, request_key
from synthrank.llms.hosted import identity
from synthrank.llms.pricing import prompt_tokens, reply_tokens
from synthrank.llms.store import ReplyStore, folder_of
from synthrank.plan.line import PASSAGE_WORDS, QUERY_WORDS, Asked, Line, priced, queries_of, words
from synthrank.prompts import read_prompt
from synthrank.reading.written import replies_wanted
from synthrank.records import Exemplar, Request
from synthrank.specs.corpora import PROMPT_INPUTS, TRAIN, BuiltCorpus
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.specs.paradigms import Asked as AskedParadigm
from synthrank.specs.paradigms import GradedParadigm
from synthrank.study import Study


def passage_lines(study: Study, results: Path, store: Path) -> Iterator[Line]:
    """Yield one line for each paradigm, LLM and draw, those of the distillation study's recipes among them.

    A draw is named where training seeds have passages of their own; what all seeds share is asked for once.

    Requests are counted as if each reply were usable: what is asked again is not known before.
    """
    draws = Draws(study)
    each = [(*asked, draw) for asked in written_passages(study) for draw in draws.passages(asked[1])]
    for corpus, paradigm, llm, draw in each:
        path = results / Path(request_folder(corpus, paradigm, draw)).relative_to("results") / "requests.jsonl"
        requests = list(read_jsonl(path, Request)) if path.is_file() else None
        spec = of_draw(study.entities["llms"][llm], draws.of_part("generation", draw))
        times = replies_wanted(study.entities["paradigms"][paradigm])
        if requests is None:
            count, mean = queries_of(study, corpus, TRAIN), float(prompt_tokens(_example(study, corpus, paradigm)))
            asked = Asked(count * times, mean, reply_tokens(spec))
        else:
            mean = sum(map(prompt_tokens, requests)) / max(1, len(requests))
            every = [replace(request, sample=sample) for request in requests for sample in range(times)]
            asked = Asked(len(every), mean, reply_tokens(spec), _stored(spec, every, store), "yes")
        name = f"{paradigm}, draw {draw}" if draw else paradigm
        yield priced("generate_passages", corpus, name, llm, spec, asked)


def _stored(spec: object, requests: list[Request], store: Path) -> int:
    """Return how many requests a hosted model has answered before."""
    if not isinstance(spec, OpenAiLlm | GeminiLlm) or not store.is_dir():
        return 0
    keys = {request_key(identity(spec), request) for request in requests}
    with ReplyStore(folder_of(store, spec.model)) as replies:
        return len(replies.find(keys))


def _example(study: Study, corpus: str, paradigm: str) -> Request:
    """Return a request of ordinary size under a paradigm."""
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
