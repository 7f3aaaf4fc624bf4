"""Step write_requests: render a paradigm's prompt for every training query."""

from collections.abc import Mapping
from pathlib import Path

from synthrank.errors import BudgetError, ConfigError
from synthrank.exemplars import cut, pairs
from synthrank.files import atomic_text, read_jsonl, write_jsonl
from synthrank.order import drawn, seeded
from synthrank.prompt_problems import CORPUS_INPUTS, corpus_problems, paradigm_problems
from synthrank.prompts import Prompt, read_prompt
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.records import Exemplar, Passage, Query, Request
from synthrank.specs.base import load
from synthrank.specs.corpora import BuiltCorpus, CorpusSpec
from synthrank.specs.paradigms import Asked, Exemplars, GeneratedParadigm, GradedParadigm, ParadigmSpec
from synthrank.texts import texts_of
from synthrank.trec import answers, read_qrels, relevant

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

    No exemplar answers a query of a held-out split, and none belongs to the query it is shown for. The exemplars are a
    fixed, seeded pool of ``count + 1``, of which each query sees the first ``count`` that are not its own: a few-shot
    paradigm with pairs uses ``count + 1`` human labels in all, however many queries there are.

    Args:
        paradigm: the paradigm's entity file, of kind generated or graded.
        prompt: the prompt file.
        corpus: the entity file of the corpus, for what the prompt says of it.
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training judgments.
        held_out: judgments of the splits that training must not see.
        exemplar_draw: which draw of the exemplars; 0 by the paradigm's own seed, another by a seed derived from both.
        requests: written: one request a query.
        exemplars: written: the pool.
        examples: written: the first few requests, for reading.

    Raises:
        ConfigError: the prompt and the paradigm disagree on the task, on exemplars or on levels, or the corpus does not
            state what the prompt takes from it.
        BudgetError: the corpus has too few passages to choose exemplars from.
    """
    spec: Asked = load(ParadigmSpec, paradigm)
    template = read_prompt(prompt)
    collection: BuiltCorpus = load(CorpusSpec, corpus)
    for problem in (
        *paradigm_problems(template.task, template.inputs, prompt, spec, paradigm),
        *corpus_problems(template.inputs, prompt, collection, corpus),
    ):
        raise ConfigError(problem)
    wanted = spec.exemplars if isinstance(spec, GeneratedParadigm) else None
    given: dict[str, object] = {"levels": list(spec.levels)} if isinstance(spec, GradedParadigm) else {}
    given |= {key: getattr(collection, key) for key in CORPUS_INPUTS if key in template.inputs}
    asked = list(read_jsonl(queries, Query))
    own = relevant(read_qrels(qrels))
    excluded = answers(held_out)
    seed = drawn(wanted.seed, exemplar_draw) if wanted else 0
    pool = _pool(wanted, passages, asked, own, excluded, seed) if wanted else []
    count = wanted.count if wanted else 0
    rendered = [_request(template, query, _shown(pool, query, own, count), count, given) for query in asked]
    write_jsonl(requests, rendered)
    write_jsonl(exemplars, pool)
    with atomic_text(examples) as stream:
        for request in rendered[:EXAMPLES_SHOWN]:
            stream.write(f"# {request.query_id}\n\n")
            stream.writelines(f"**{turn.role}**\n\n{turn.content}\n\n" for turn in request.messages)


def _pool(
    spec: Exemplars, passages: Path, queries: list[Query], own: dict[str, set[str]], excluded: set[str], seed: int
) -> list[Exemplar]:
    """Return ``count + 1`` exemplars (one to spare for the query that would meet its own)."""
    wanted = spec.count + 1
    if spec.kind == "pairs":
        found = pairs(passages, queries, own, excluded, count=wanted, seed=seed, words=spec.words)
    else:
        allowed = (passage.id for passage in read_jsonl(passages, Passage) if passage.id not in excluded)
        names = seeded(allowed, seed)[:wanted]
        text_of = texts_of(passages, names)
        found = [Exemplar(name, cut(text_of[name], spec.words)) for name in names]
    if len(found) < wanted:
        raise BudgetError(
            f"{passages}: {len(found)} {spec.kind} can serve as exemplars, {wanted} are needed; lower exemplars.count"
        )
    return found


def _shown(pool: list[Exemplar], query: Query, own: dict[str, set[str]], count: int) -> list[Exemplar]:
    mine = own.get(query.id, set())
    return [item for item in pool if item.query_id != query.id and item.id not in mine][:count]


def _request(prompt: Prompt, query: Query, shown: list[Exemplar], count: int, given: Mapping[str, object]) -> Request:
    if len(shown) < count:
        raise BudgetError(f"query {query.id}: the exemplar pool holds {len(shown)} that are not its own, not {count}")
    values: dict[str, object] = {"query": query.text, **given}
    if count:
        values["exemplars"] = shown
    schema = SCHEMA_OF[prompt.task] if prompt.structured else ""
    exemplars = tuple(item.id for item in shown)
    return Request(query.id, query.text, prompt.render(**values), exemplars, schema=schema)
