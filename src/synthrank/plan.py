"""What an experiment will ask of language models, and what that costs, before anything is asked.

``python -m synthrank.plan --config config/paper.yaml`` reads entity files only; where the workflow has already written
the requests, they are counted as they are and looked up in the store.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cyclopts import App

from synthrank.errors import ConfigError, SynthrankError
from synthrank.files import read_jsonl
from synthrank.llms.base import Answer
from synthrank.llms.estimate import prompt_tokens, reply_tokens
from synthrank.llms.hosted import identity
from synthrank.llms.keys import request_key
from synthrank.llms.prices import price_usd
from synthrank.llms.store import ReplyStore, folder_of
from synthrank.prompts import read_prompt
from synthrank.records import Exemplar, Request
from synthrank.specs.base import read_yaml
from synthrank.specs.corpora import TRAIN
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.specs.paradigms import GeneratedParadigm
from synthrank.study import Study

QUERY_WORDS, EXEMPLAR_WORDS = 10, 80
"""Words of a query, and of an exemplar that is not cut, where no request has been written yet (MS MARCO: 6 and 60)."""

SECONDS_PER_REPLY = 4.0
"""How long a hosted model takes for a short passage; the time in flight matters only where no rate is limited."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule's requests to one LLM."""

    rule: str
    corpus: str
    paradigm: str
    llm: str
    requests: int
    stored: int
    tokens_in: int
    tokens_out: int
    live_usd: float
    batch_usd: float
    minutes: float
    exact: bool


def plan(study: Study, results: Path, store: Path) -> Iterator[Line]:
    """Yield one line for each paradigm and LLM of the experiment.

    Args:
        study: the study.
        results: the folder of results, where requests may have been written.
        store: the folder of the reply store.
    """
    for corpus, paradigm in study.generated():
        written = results / "passages" / corpus / paradigm / "requests.jsonl"
        requests = list(read_jsonl(written, Request)) if written.is_file() else None
        for llm in study.experiment.llms:
            yield _line(study, corpus, paradigm, llm, requests, store)


def _line(study: Study, corpus: str, paradigm: str, llm: str, requests: list[Request] | None, store: Path) -> Line:
    spec = study.entities["llms"][llm]
    count = len(requests) if requests is not None else _training_queries(study, corpus)
    mean = (
        sum(map(prompt_tokens, requests)) / max(1, count)
        if requests is not None
        else prompt_tokens(_example(study, paradigm))
    )
    stored, written = 0, reply_tokens(spec)
    if isinstance(spec, OpenAiLlm | GeminiLlm):
        if requests is not None and store.is_dir():
            keys = {request_key(identity(spec), request) for request in requests}
            with ReplyStore(folder_of(store, spec.model)) as replies:
                stored = len(replies.find(keys))
        left = count - stored
        one = Answer("", "stop", "", round(mean), written)
        live, batch = (left * price_usd(spec.price, one, mode) for mode in ("live", "batch"))
        minutes = _minutes(spec, left, mean + written)
    else:
        left, live, batch, minutes = count, 0.0, 0.0, 0.0
    return Line(
        "generate_passages", corpus, paradigm, llm, count, stored,
        round(left * mean), left * written, live, batch, minutes, requests is not None,
    )  # fmt: skip


def _training_queries(study: Study, corpus: str) -> int:
    spec = study.entities["corpora"][corpus]
    stated = spec.counts.splits.get(TRAIN)
    known = [number for number in (spec.train_queries, stated.queries if stated else None) if number]
    if not known:
        raise ConfigError(
            f"{study.folder}/corpora/{corpus}.yaml: counts.splits.{TRAIN}.queries: is missing; state how many training "
            "queries there are, or write the requests first"
        )
    return int(min(known))


def _example(study: Study, paradigm: str) -> Request:
    """Return a request of ordinary size under a paradigm."""
    spec: GeneratedParadigm = study.entities["paradigms"][paradigm]
    prompt = read_prompt(study.folder / "prompts" / f"{spec.prompt}.md")
    values: dict[str, object] = {"query": " ".join(["sixish"] * QUERY_WORDS)}
    if spec.exemplars:
        words = " ".join(["sixish"] * (spec.exemplars.words or EXEMPLAR_WORDS))
        shown = Exemplar("", words, "", str(values["query"]) if spec.exemplars.kind == "pairs" else "")
        values["exemplars"] = [shown] * spec.exemplars.count
    return Request("", "", prompt.render(**values))


def _minutes(spec: OpenAiLlm | GeminiLlm, requests: int, tokens: float) -> float:
    """Return how long live requests take at the configured limits."""
    limits = spec.limits
    times = [requests * SECONDS_PER_REPLY / limits.concurrency / 60]
    if limits.requests_per_minute:
        times.append(requests / limits.requests_per_minute)
    if limits.tokens_per_minute:
        times.append(requests * tokens / limits.tokens_per_minute)
    return max(times)


def as_text(lines: list[Line], study: Study) -> str:
    """Return the plan as a table for people, with a total line."""
    head = ["rule", "corpus", "paradigm", "llm", "requests", "stored", "tokens in", "tokens out", "live $", "batch $"]
    head += ["minutes", "counted"]
    rows = [
        [
            *(line.rule, line.corpus, line.paradigm, line.llm, f"{line.requests:,}", f"{line.stored:,}"),
            *(f"{line.tokens_in:,}", f"{line.tokens_out:,}", f"{line.live_usd:.2f}", f"{line.batch_usd:.2f}"),
            *(f"{line.minutes:.0f}" if line.live_usd else "-", "yes" if line.exact else "estimated"),
        ]
        for line in lines
    ]
    sums = [sum(getattr(line, name) for line in lines) for name in ("requests", "stored", "tokens_in", "tokens_out")]
    money = [sum(getattr(line, name) for line in lines) for name in ("live_usd", "batch_usd", "minutes")]
    dollars = [f"{money[0]:.2f}", f"{money[1]:.2f}", f"{money[2]:.0f}"]
    rows.append(["total", "", "", "", *(f"{number:,}" for number in sums), *dollars, ""])
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    lines_of_text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
    return "\n".join([*lines_of_text, _notes(study), ""])


def _notes(study: Study) -> str:
    listed = [
        f"{name} {spec.price.listed.isoformat()}"
        for name in study.experiment.llms
        if isinstance(spec := study.entities["llms"][name], OpenAiLlm | GeminiLlm)
    ]
    limit = study.experiment.budget_usd
    return (
        f"Prices as listed: {', '.join(listed) or 'no hosted LLM'}. "
        f"budget_usd: {f'{limit:.2f}' if limit is not None else 'no limit'}. Nothing was asked of anyone."
    )


def main(*, config: Path = Path("config/config.yaml")) -> None:
    """Print what an experiment will ask of language models.

    Args:
        config: the experiment; what it leaves out is taken from config/config.yaml.
    """
    try:
        merged = {**read_yaml(Path("config/config.yaml")), **read_yaml(config)}
        study = Study(Path("config"), merged)
        store = Path(os.environ.get("SYNTHRANK_STORE") or "results/store")
        sys.stdout.write(as_text(list(plan(study, Path("results"), store)), study))
    except SynthrankError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    app = App(name="plan", help=__doc__)
    app.default(main)
    app()
