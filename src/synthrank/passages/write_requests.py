"""Step write_requests: render a paradigm's prompt for every training query."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.exemplars import drawn_pairs, drawn_passages, pairs
from synthrank.files import atomic_text, read_jsonl, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.order import drawn
from synthrank.prompts import Prompt, read_prompt
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.records import Exemplar, Query, Request
from synthrank.specs.base import load
from synthrank.specs.corpora import PROMPT_INPUTS, BuiltCorpus, CorpusSpec
from synthrank.specs.paradigms import Asked, Exemplars, GeneratedParadigm, GradedParadigm, ParadigmSpec
from synthrank.trec import read_qrels, relevant

EXAMPLES_SHOWN = 3
"""Rendered prompts in the file for reading."""


def write_requests(
    *,
    paradigm: Path,
    prompt: Path,
    corpus: Path,
    passages: Path,
    queries: Path,
    qrels: Path,
    held_out: list[Path],
    exemplar_draw: int,
    requests: Path,
    exemplars: Path,
    examples: Path,
) -> None:
    """Render the prompt for every training query.

    Exemplars are drawn for each query. None answers a query of a held-out split, and none is the query's own pair or
    relevant to it. Pairs come out of a seeded pool of ``labels`` training queries, so that the paradigm uses as many
    human labels in all, however many queries there are; raw passages come out of the whole collection. A query that is
    added changes no other query's exemplars, unless its own pair enters the pool of labels.

    Args:
        paradigm: the paradigm's entity file, of kind generated or graded.
        prompt: the prompt file.
        corpus: the entity file of the corpus, for what the prompt says of it.
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training qrels.
        held_out: qrels of the splits that training must not see.
        exemplar_draw: which draw of the exemplars; 0 by the paradigm's own seed, another by a seed derived from both.
        requests: written: one request a query.
        exemplars: written: every exemplar that a prompt shows, once.
        examples: written: the first few requests, for reading.

    Raises:
        BudgetError: the corpus has too few pairs or passages to draw exemplars from.
        PromptError: the prompt's text uses other inputs than its head declares.
    """
    spec: Asked = load(ParadigmSpec, paradigm)
    template = read_prompt(prompt)
    collection: BuiltCorpus = load(CorpusSpec, corpus)
    wanted = spec.exemplars if isinstance(spec, GeneratedParadigm) else None
    given: dict[str, object] = {"levels": list(spec.levels)} if isinstance(spec, GradedParadigm) else {}
    given |= {key: getattr(collection, key) for key in PROMPT_INPUTS if key in template.inputs}
    asked = list(read_jsonl(queries, Query))
    shown_to = _draws(wanted, drawn(wanted.seed, exemplar_draw), passages, asked, qrels, held_out) if wanted else None
    shown: dict[Exemplar, None] = {}
    first: list[Request] = []

    def rendered() -> Iterator[Request]:
        for query in asked:
            items = shown_to(query) if shown_to else []
            request = _request(template, query, items, given)
            shown.update(dict.fromkeys(items))
            if len(first) < EXAMPLES_SHOWN:
                first.append(request)
            yield request

    write_jsonl(requests, rendered())
    write_jsonl(exemplars, shown)
    with atomic_text(examples) as stream:
        for request in first:
            stream.write(f"# {request.query_id}\n\n")
            stream.writelines(f"**{turn.role}**\n\n{turn.content}\n\n" for turn in request.messages)


def _draws(
    spec: Exemplars, seed: int, passages: Path, queries: Sequence[Query], qrels: Path, held_out: Sequence[Path]
) -> Callable[[Query], list[Exemplar]]:
    """Return what gives the exemplars of a query."""
    judged, excluded = read_qrels(qrels), excluded_passages(held_out)
    own = relevant(judged)
    if spec.labels is None:
        drawn_for = drawn_passages(passages, queries, own, excluded, count=spec.count, seed=seed, words=spec.words)
        return lambda query: drawn_for[query.id]
    pool = pairs(passages, queries, judged, excluded, count=spec.labels, seed=seed, words=spec.words)
    if len(pool) < spec.labels:
        raise BudgetError(
            f"{passages}: {len(pool)} training queries have a passage that may be shown, {spec.labels} are needed; "
            "lower exemplars.labels"
        )
    return lambda query: drawn_pairs(pool, query.id, own, count=spec.count, seed=seed)


def _request(prompt: Prompt, query: Query, shown: Sequence[Exemplar], given: Mapping[str, object]) -> Request:
    values: dict[str, object] = {"query": query.text, **given}
    if shown:
        values["exemplars"] = shown
    schema = SCHEMA_OF[prompt.task] if prompt.structured else ""
    exemplars = tuple(item.id for item in shown)
    return Request(query.id, query.text, prompt.render(**values), exemplars, schema=schema)
