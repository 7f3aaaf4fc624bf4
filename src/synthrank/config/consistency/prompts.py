"""Checks of the requests to language models: prompts, queries, labels and tokens.

Each check yields messages of one line: the file, the key, what is wrong, what is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from synthrank.config.augmentations import LlmQueries
from synthrank.config.corpora import PROMPT_INPUTS, TRAIN
from synthrank.config.distillation import written_passages
from synthrank.config.paradigms import GeneratedParadigm, GradedParadigm, queryset_of
from synthrank.config.prompt_heads import FrontMatter
from synthrank.config.recipes import Sized
from synthrank.config.reply_schemas import SCHEMA_OF
from synthrank.errors import list_known, suggest

if TYPE_CHECKING:
    from synthrank.config.study import Study

TOKENS_PER_WORD = 4 / 3
"""Tokens per word of English prose, a rule of thumb of providers."""

RANKED = {
    "listwise": {"query", "passages"},
    "setwise": {"query", "passages"},
    "pairwise": {"query", "passages"},
    "pointwise": {"query", "passage"},
    "query-likelihood": {"passage"},
}
"""The inputs of prompts for rankings, by task. In query likelihood, the query is the reply."""


class Contract(NamedTuple):
    """The task, required inputs and optional inputs of a prompt."""

    task: str
    inputs: Set[str]
    optional: Set[str] = frozenset()


def contract_of(spec: Any) -> Contract:
    """Return the contract of the prompt of a paradigm, an augmentation or a ranking."""
    exemplars = {"exemplars"} if getattr(spec, "exemplars", None) else set()
    if isinstance(spec, GradedParadigm):
        return Contract("graded", {"query", "levels"}, {*PROMPT_INPUTS})
    if isinstance(spec, GeneratedParadigm):
        return Contract("passage", {"query"} | exemplars, {*PROMPT_INPUTS})
    if isinstance(spec, LlmQueries):
        return Contract("queries", {"passage"} | exemplars)
    return Contract(spec.kind, RANKED[spec.kind])


def prompt_problems(study: Study) -> Iterable[str]:
    """Yield a line per prompt that does not fit its entity, and per number that exceeds the available queries."""
    for kind in ("paradigms", "augmentations", "rankings"):
        for name, spec in study.entities[kind].items():
            if prompt := getattr(spec, "prompt", None):
                head, path = study.prompts[prompt], study.prompt_file(prompt)
                yield from _unfit(contract_of(spec), head, path, f"{study.folder}/{kind}/{name}.yaml")
    for check in (_check_corpus_inputs, _queries, _labels, _limits):
        yield from check(study)


def _unfit(contract: Contract, head: FrontMatter, prompt: Path, file: str) -> Iterator[str]:
    """Yield a line if a prompt does not match the contract of its entity file."""
    stated, may = {*head.inputs}, contract.inputs | contract.optional
    if head.task != contract.task:
        yield f"{prompt}: task: got {head.task!r}; {file} needs task {contract.task!r}"
    elif unknown := stated - may:
        yield f"{prompt}: inputs: {file} has no input {min(unknown)!r}{suggest(min(unknown), may)}"
    elif missing := contract.inputs - stated:
        yield f"{prompt}: inputs: {min(missing)!r} is missing, an input of {file}; add it ({list_known(may)})"
    elif head.structured and head.task not in SCHEMA_OF:
        yield f"{prompt}: structured: task {head.task!r} has no JSON Schema; remove the key"


def _check_corpus_inputs(study: Study) -> Iterator[str]:
    """Yield a line per input of a prompt that a corpus's file does not state."""
    for corpus, paradigm in _asked_for(study):
        prompt = study.entities["paradigms"][paradigm].prompt
        for key in PROMPT_INPUTS:
            if key in study.prompts[prompt].inputs and getattr(study.entities["corpora"][corpus], key) is None:
                yield (
                    f"{study.folder}/corpora/{corpus}.yaml: missing key {key!r}, an input of "
                    f"{study.prompt_file(prompt)}; state it or use another prompt"
                )


def _queries(study: Study) -> Iterator[str]:
    """Yield a line per recipe, also with ``@N``, with more queries than its corpus states or its augmentation makes."""
    for name, recipe in study.entities["recipes"].items():
        origin = f"experiment: recipe {name!r}" if "@" in name else f"{study.folder}/recipes/{name}.yaml: queries"
        for paradigm in recipe.paradigms if isinstance(recipe, Sized) else ():
            queryset = queryset_of(study.entities["paradigms"][paradigm])
            own = study.entities["augmentations"].get(queryset)
            most = own.most if own else study.entities["corpora"][recipe.corpus].queries_of(queryset)
            if most and recipe.size > most:
                has = f"augmentation {queryset!r} makes at most" if own else f"corpus {recipe.corpus!r} has"
                training = "" if own else "training "
                yield f"{origin}: {recipe.size} queries, but {has} {most} {training}queries; state at most {most}"
                break


def _labels(study: Study) -> Iterator[str]:
    """Yield a line per paradigm with more labels than a corpus has training queries."""
    for corpus, paradigm in _asked_for(study):
        spec = study.entities["paradigms"][paradigm]
        labels = spec.exemplars.labels if isinstance(spec, GeneratedParadigm) and spec.exemplars else None
        most = study.entities["corpora"][corpus].queries_of(TRAIN)
        if labels and most and labels > most:
            yield (
                f"{study.folder}/paradigms/{paradigm}.yaml: exemplars.labels: {labels} labels, but corpus {corpus!r} "
                f"has {most} training queries; state at most {most}"
            )


def _limits(study: Study) -> Iterator[str]:
    """Yield a line per LLM whose token limit is shorter than the requested passages."""
    for corpus, paradigm, llm in written_passages(study):
        words = study.entities["corpora"][corpus].passage_words
        limit = study.entities["llms"][llm].sampling.max_new_tokens
        requested = "passage_words" in study.prompts[study.entities["paradigms"][paradigm].prompt].inputs
        if words and requested and words * TOKENS_PER_WORD > limit:
            yield (
                f"{study.folder}/llms/{llm}.yaml: sampling.max_new_tokens: {limit} is too small for {words} words, "
                f"passage_words of corpus {corpus!r}; state at least {words * TOKENS_PER_WORD:.0f}"
            )


def _asked_for(study: Study) -> list[tuple[str, str]]:
    """Return each (corpus, paradigm) whose passages a language model generates for any recipe."""
    return study.generated(name for name, recipe in study.entities["recipes"].items() if isinstance(recipe, Sized))
