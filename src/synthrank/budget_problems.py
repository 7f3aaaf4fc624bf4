"""What may be wrong with how much a study asks for: queries, labels, tokens.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from synthrank.prompt_heads import read_head
from synthrank.prompt_problems import asked_for
from synthrank.specs.corpora import TRAIN
from synthrank.specs.paradigms import GeneratedParadigm, queryset_of
from synthrank.specs.recipes import Sized

if TYPE_CHECKING:
    from synthrank.study import Study

TOKENS_PER_WORD = 4 / 3
"""English prose in the vocabularies of language models, by the rule of thumb of their providers."""


def budget_problems(study: Study) -> Iterable[str]:
    """Yield one line for each number that is larger than what there is."""
    for check in (_enough, _labels, _limits):
        yield from check(study)


def _enough(study: Study) -> Iterator[str]:
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
    for corpus, paradigm in asked_for(study):
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
    asked = [(*pair, llm) for pair in study.generated() for llm in study.experiment.llms]
    if twolar := study.experiment.twolar:
        recipes = [*twolar.recipes, *(name for ablation in twolar.ablations.values() for name in ablation.recipes)]
        asked += [(*pair, llm) for pair in study.generated(recipes) for llm in twolar.llms]
    for corpus, paradigm, llm in dict.fromkeys(asked):
        words = study.entities["corpora"][corpus].passage_words
        limit = study.entities["llms"][llm].sampling.max_new_tokens
        if words and _told(study, paradigm) and words * TOKENS_PER_WORD > limit:
            yield (
                f"{study.folder}/llms/{llm}.yaml: sampling.max_new_tokens: got {limit}; a passage of {words} words, as "
                f"corpus {corpus!r} states, has about {words * TOKENS_PER_WORD:.0f} tokens"
            )


def _told(study: Study, paradigm: str) -> bool:
    """Tell whether the prompt of a paradigm asks for a length."""
    prompt = study.folder / "prompts" / f"{study.entities['paradigms'][paradigm].prompt}.md"
    return "passage_words" in read_head(prompt)[0].inputs
