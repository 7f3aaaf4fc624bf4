"""What may be wrong with what a study asks language models for: prompts, queries, labels, tokens.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from synthrank.distillation import written_passages
from synthrank.errors import known
from synthrank.prompt_heads import FrontMatter
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.specs.augmentations import LlmQueries
from synthrank.specs.corpora import PROMPT_INPUTS, TRAIN
from synthrank.specs.paradigms import GeneratedParadigm, GradedParadigm, queryset_of
from synthrank.specs.recipes import Sized

if TYPE_CHECKING:
    from synthrank.study import Study

TOKENS_PER_WORD = 4 / 3
"""English prose in the vocabularies of language models, by the rule of thumb of their providers."""

RANKED = {
    "listwise": {"query", "passages"},
    "setwise": {"query", "passages"},
    "pairwise": {"query", "passages"},
    "pointwise": {"query", "passage"},
    "query-likelihood": {"passage"},
}
"""The inputs of a prompt for rankings, by its task; a prompt for query likelihood is answered with the query."""


class Contract(NamedTuple):
    """What a prompt must declare: its task, the inputs that it must have, and those that it may have."""

    task: str
    inputs: Set[str]
    optional: Set[str] = frozenset()


def contract_of(spec: Any) -> Contract:
    """Return what the prompt of a paradigm, an augmentation or a ranking must declare."""
    exemplars = {"exemplars"} if getattr(spec, "exemplars", None) else set()
    if isinstance(spec, GradedParadigm):
        return Contract("graded", {"query", "levels"}, {*PROMPT_INPUTS})
    if isinstance(spec, GeneratedParadigm):
        return Contract("passage", {"query"} | exemplars, {*PROMPT_INPUTS})
    if isinstance(spec, LlmQueries):
        return Contract("queries", {"passage"} | exemplars)
    return Contract(spec.kind, RANKED[spec.kind])


def prompt_problems(study: Study) -> Iterable[str]:
    """Yield one line for each prompt that its entity cannot use, and each number that is larger than what there is."""
    for kind in ("paradigms", "augmentations", "rankings"):
        for name, spec in study.entities[kind].items():
            if prompt := getattr(spec, "prompt", None):
                head, path = study.prompts[prompt], study.prompt_file(prompt)
                yield from _unfit(contract_of(spec), head, path, f"{study.folder}/{kind}/{name}.yaml")
    for check in (_unstated, _queries, _labels, _limits):
        yield from check(study)


def _unfit(contract: Contract, head: FrontMatter, prompt: Path, file: str) -> Iterator[str]:
    """Yield a line where a prompt does not keep the contract of the entity file that names it."""
    stated, may = {*head.inputs}, contract.inputs | contract.optional
    if head.task != contract.task:
        yield f"{prompt}: task: got {head.task!r}; {file} needs a prompt of task {contract.task!r}"
    elif unknown := stated - may:
        yield f"{prompt}: inputs: got {min(unknown)!r}, which {file} does not give ({known(may)})"
    elif missing := contract.inputs - stated:
        yield f"{prompt}: inputs: {min(missing)!r} is missing, which {file} gives; state it ({known(may)})"
    elif head.structured and head.task not in SCHEMA_OF:
        yield f"{prompt}: structured: there is no JSON Schema for task {head.task!r}; remove it"


def _unstated(study: Study) -> Iterator[str]:
    """Yield a line for each input that a prompt takes from the file of a corpus which does not state it."""
    for corpus, paradigm in _asked_for(study):
        prompt = study.entities["paradigms"][paradigm].prompt
        for key in PROMPT_INPUTS:
            if key in study.prompts[prompt].inputs and getattr(study.entities["corpora"][corpus], key) is None:
                yield (
                    f"{study.folder}/corpora/{corpus}.yaml: {key}: is missing; {study.prompt_file(prompt)} has it as "
                    "an input, so state it or use another prompt"
                )


def _queries(study: Study) -> Iterator[str]:
    """Yield a line for each recipe that asks for more queries than there can be, ``@N`` included.

    There are as many as its corpus is said to have, or as its augmentation makes.
    """
    for name, recipe in study.entities["recipes"].items():
        origin = f"experiment: recipe {name!r}" if "@" in name else f"{study.folder}/recipes/{name}.yaml: queries"
        for paradigm in recipe.paradigms if isinstance(recipe, Sized) else ():
            queryset = queryset_of(study.entities["paradigms"][paradigm])
            own = study.entities["augmentations"].get(queryset)
            most = own.most if own else study.entities["corpora"][recipe.corpus].queries_of(queryset)
            if most and recipe.size > most:
                has = f"augmentation {queryset!r} makes" if own else f"corpus {recipe.corpus!r} has"
                more = "at most" if own else "to train on"
                yield f"{origin}: asks for {recipe.size} queries, but {has} {most} {more}; ask for no more"
                break


def _labels(study: Study) -> Iterator[str]:
    """Yield a line for each paradigm that may use more labelled queries than a corpus has."""
    for corpus, paradigm in _asked_for(study):
        spec = study.entities["paradigms"][paradigm]
        labels = spec.exemplars.labels if isinstance(spec, GeneratedParadigm) and spec.exemplars else None
        most = study.entities["corpora"][corpus].queries_of(TRAIN)
        if labels and most and labels > most:
            yield (
                f"{study.folder}/paradigms/{paradigm}.yaml: exemplars.labels: got {labels}; corpus {corpus!r} has "
                f"{most} training queries, state at most as many"
            )


def _limits(study: Study) -> Iterator[str]:
    """Yield a line where an LLM's limit cuts the passages that a prompt asks it for."""
    for corpus, paradigm, llm in written_passages(study):
        words = study.entities["corpora"][corpus].passage_words
        limit = study.entities["llms"][llm].sampling.max_new_tokens
        told = "passage_words" in study.prompts[study.entities["paradigms"][paradigm].prompt].inputs
        if words and told and words * TOKENS_PER_WORD > limit:
            yield (
                f"{study.folder}/llms/{llm}.yaml: sampling.max_new_tokens: got {limit}; a passage of {words} words, as "
                f"corpus {corpus!r} states, has about {words * TOKENS_PER_WORD:.0f} tokens"
            )


def _asked_for(study: Study) -> list[tuple[str, str]]:
    """Return (corpus, paradigm) of all passages that some recipe would have a language model write, each once."""
    return study.generated(name for name, recipe in study.entities["recipes"].items() if isinstance(recipe, Sized))
