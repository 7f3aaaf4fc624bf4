"""Step write_requests: render a paradigm's prompt for every training query."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.corpora import PROMPT_INPUTS, BuiltCorpus, CorpusSpec
from synthrank.config.paradigms import AskedParadigm, Exemplars, GeneratedParadigm, GradedParadigm, ParadigmSpec
from synthrank.config.reply_schemas import SCHEMA_OF
from synthrank.data.files import atomic_text, read_jsonl, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.records import Exemplar, Query, Request
from synthrank.data.sampling import draw_seed
from synthrank.data.trec import read_qrels, relevant
from synthrank.errors import BudgetError
from synthrank.llms.exemplars import draw_pairs, draw_passages, pairs
from synthrank.llms.prompts import Prompt, read_prompt

EXAMPLES_SHOWN = 3
"""Rendered prompts in the examples file."""


def write_requests(
    *,
    paradigm: Path,
    prompt: Path,
    corpus: Path,
    passages: Path,
    queries: Path,
    qrels: Path,
    excluded: Path,
    exemplar_draw: int,
    requests: Path,
    exemplars: Path,
    examples: Path,
) -> None:
    """Render the prompt for every training query.

    Exemplars are drawn per query. A prompt never shows the query's own pair, a passage relevant to the query, or a
    passage relevant to a held-out query. Pairs are drawn from a seeded pool of ``labels`` training queries, so the
    paradigm uses the same number of human labels for any number of queries. Raw passages are drawn from the whole
    corpus. Adding a query does not change the exemplars of other queries, unless its pair enters the pool.

    Args:
        paradigm: the paradigm's entity file, of kind generated or graded.
        prompt: the prompt file.
        corpus: the entity file of the corpus, for the prompt's inputs.
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training qrels.
        excluded: the passages that must stay out of training.
        exemplar_draw: the draw of the exemplars. Draw 0 uses the paradigm's seed, other draws a seed derived from it.
        requests: written: one request per query.
        exemplars: written: every exemplar of any prompt, once.
        examples: written: the first requests as Markdown.

    Raises:
        BudgetError: the corpus has too few pairs or passages for the exemplars.
        PromptError: the inputs in the prompt's text differ from the declared inputs.
    """
    spec: AskedParadigm = load(ParadigmSpec, paradigm)
    template = read_prompt(prompt)
    collection: BuiltCorpus = load(CorpusSpec, corpus)
    wanted = spec.exemplars if isinstance(spec, GeneratedParadigm) else None
    given: dict[str, object] = {"levels": list(spec.levels)} if isinstance(spec, GradedParadigm) else {}
    given |= {key: getattr(collection, key) for key in PROMPT_INPUTS if key in template.inputs}
    asked = list(read_jsonl(queries, Query))
    shown_to = (
        _draws(wanted, draw_seed(wanted.seed, exemplar_draw), passages, asked, qrels, excluded) if wanted else None
    )
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
    spec: Exemplars, seed: int, passages: Path, queries: Sequence[Query], qrels: Path, excluded: Path
) -> Callable[[Query], list[Exemplar]]:
    """Return a function from a query to its exemplars."""
    judged, excluded_ids = read_qrels(qrels), read_excluded(excluded)
    own = relevant(judged)
    if spec.labels is None:
        drawn_for = draw_passages(passages, queries, own, excluded_ids, count=spec.count, seed=seed, words=spec.words)
        return lambda query: drawn_for[query.id]
    pool = pairs(passages, queries, judged, excluded_ids, count=spec.labels, seed=seed, words=spec.words)
    if len(pool) < spec.labels:
        raise BudgetError(
            f"{passages}: {spec.labels} labelled pairs needed, but only {len(pool)} training queries have a passage "
            "that may be shown; lower exemplars.labels"
        )
    return lambda query: draw_pairs(pool, query.id, own, count=spec.count, seed=seed)


def _request(prompt: Prompt, query: Query, shown: Sequence[Exemplar], given: Mapping[str, object]) -> Request:
    values: dict[str, object] = {"query": query.text, **given}
    if shown:
        values["exemplars"] = shown
    schema = SCHEMA_OF[prompt.task] if prompt.structured else ""
    exemplars = tuple(item.id for item in shown)
    return Request(query.id, query.text, prompt.render(**values), exemplars, schema=schema)
