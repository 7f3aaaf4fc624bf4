"""What may be wrong with the prompts that passages and queries are asked for with.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthrank.prompt_heads import read_head
from synthrank.specs.augmentations import LlmQueries
from synthrank.specs.paradigms import Asked, GradedParadigm
from synthrank.specs.recipes import Sized

if TYPE_CHECKING:
    from synthrank.study import Study

CORPUS_INPUTS = ("domain", "passage_words")
"""Inputs that a prompt for passages may have and need not: keys of the corpus's file, under the same names."""


def prompt_problems(study: Study) -> Iterable[str]:
    """Yield one line for each prompt that does not fit its paradigm, its augmentation or a corpus of its passages."""
    heads = {}
    for name, spec in study.entities["paradigms"].items():
        if isinstance(spec, Asked):
            prompt = study.folder / "prompts" / f"{spec.prompt}.md"
            heads[name] = read_head(prompt)[0]
            file = study.folder / "paradigms" / f"{name}.yaml"
            yield from paradigm_problems(heads[name].task, heads[name].inputs, prompt, spec, file)
    for corpus, name in asked_for(study):
        spec, file = study.entities["paradigms"][name], study.folder / "corpora" / f"{corpus}.yaml"
        prompt = study.folder / "prompts" / f"{spec.prompt}.md"
        yield from corpus_problems(heads[name].inputs, prompt, study.entities["corpora"][corpus], file)
    for name, spec in study.entities["augmentations"].items():
        if isinstance(spec, LlmQueries):
            prompt, file = (
                study.folder / "prompts" / f"{spec.prompt}.md",
                study.folder / "augmentations" / f"{name}.yaml",
            )
            head = read_head(prompt)[0]
            yield from query_prompt_problems(head.task, head.inputs, prompt, spec, file)


def paradigm_problems(task: str, inputs: Collection[str], prompt: Path, spec: Asked, paradigm: Path) -> Iterator[str]:
    """Yield a line where a prompt is for another task than a paradigm's, or wants other inputs than it is given."""
    graded = isinstance(spec, GradedParadigm)
    expected = "graded" if graded else "passage"
    given = {"query", *(["levels"] if graded else []), *(["exemplars"] if getattr(spec, "exemplars", None) else [])}
    if task != expected:
        yield f"{prompt}: task: must be {expected!r} for {paradigm}, got {task!r}"
    elif {*inputs} - {*CORPUS_INPUTS} != given:
        yield (
            f"{prompt}: inputs: must be {sorted(given)} for {paradigm}, got {sorted(inputs)}; "
            f"{' and '.join(CORPUS_INPUTS)} may be there too"
        )


def query_prompt_problems(
    task: str, inputs: Collection[str], prompt: Path, spec: LlmQueries, augmentation: Path
) -> Iterator[str]:
    """Yield a line where a prompt is not for queries, or wants other inputs than an augmentation gives it."""
    given = {"passage", *(["exemplars"] if spec.exemplars else [])}
    if task != "queries":
        yield f"{augmentation}: prompt: {prompt} has task {task!r}; it must be 'queries'"
    elif {*inputs} != given:
        yield f"{prompt}: inputs: must be {sorted(given)} for {augmentation}, got {sorted(inputs)}"


def corpus_problems(inputs: Collection[str], prompt: Path, corpus: Any, file: Path) -> Iterator[str]:
    """Yield a line for each input that a prompt takes from the file of a corpus which does not state it."""
    for key in CORPUS_INPUTS:
        if key in inputs and getattr(corpus, key) is None:
            yield f"{file}: {key}: is missing; {prompt} has it as an input, so state it or use another prompt"


def asked_for(study: Study) -> Iterator[tuple[str, str]]:
    """Yield (corpus, paradigm) of all passages that some recipe would have a language model write, each once."""
    yield from study.generated(name for name, recipe in study.entities["recipes"].items() if isinstance(recipe, Sized))
