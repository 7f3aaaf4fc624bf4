"""What may be wrong with a study although every file is right by itself: one check a kind.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.budget_problems import budget_problems
from synthrank.corpora_problems import corpora_problems, split_problems
from synthrank.depths import depth_problems
from synthrank.development import development_problems
from synthrank.errors import known
from synthrank.filter_problems import filter_problems
from synthrank.guard_problems import guard_problems
from synthrank.label_problems import label_problems
from synthrank.prompt_problems import prompt_problems
from synthrank.sections import section_problems
from synthrank.specs.augmentations import MixedQueries
from synthrank.specs.corpora import TRAIN, MixedCorpus
from synthrank.specs.filters import RetrieverFilter
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.specs.paradigms import GradedParadigm
from synthrank.specs.rankers import Reranker
from synthrank.specs.recipes import DistilRecipe, GradedRecipe, OrderRecipe, PairsRecipe, Sized, TeacherRecipe
from synthrank.specs.retrievers import Dense, Ordered, Reranked

if TYPE_CHECKING:
    from synthrank.study import Study


def problems(study: Study) -> Iterable[str]:
    """Yield one line for each thing that does not fit together."""
    entities = (corpora_problems, _testsets, _augmentations, _retrievers, _recipes, _published)
    sections = (
        section_problems,
        development_problems,
        prompt_problems,
        guard_problems,
        filter_problems,
        budget_problems,
    )
    for check in (*entities, *sections, depth_problems, _experiment, label_problems, _encoders):
        yield from check(study)


def _testsets(study: Study) -> Iterable[str]:
    for name, testset in study.entities["testsets"].items():
        if testset.passages_as != (other := study.passages_as(testset.corpus)):
            yield (
                f"{study.folder}/testsets/{name}.yaml: passages_as: got {testset.passages_as!r}, but another test set "
                f"of corpus {testset.corpus!r} states {other!r}; state the same, for the collection is indexed once"
            )
        yield from split_problems(study, f"{study.folder}/testsets/{name}.yaml", testset.corpus, testset.split)


def _augmentations(study: Study) -> Iterable[str]:
    parts_of = {
        name: [part.augmentation for part in spec.parts]
        for name, spec in study.entities["augmentations"].items()
        if isinstance(spec, MixedQueries)
    }
    for name, parts in parts_of.items():
        origin = f"{study.folder}/augmentations/{name}.yaml: parts"
        if len(set(parts)) < len(parts):
            twice = max(parts, key=parts.count)
            yield f"{origin}: {twice!r} stands there twice; name it once, with both counts together"
        held, waiting = set[str](), list(parts)
        while waiting:
            part = waiting.pop()
            if part not in held:
                held.add(part)
                waiting += parts_of.get(part, [])
        if name in held:
            yield f"{origin}: the mixture is a part of itself; a part must be made before the whole"


def _retrievers(study: Study) -> Iterable[str]:
    for name, retriever in study.entities["retrievers"].items():
        origin = f"{study.folder}/retrievers/{name}.yaml"
        held, waiting = set[str](), _first_stages(study, name)
        while waiting:
            part = waiting.pop()
            if part not in held:
                held.add(part)
                waiting += _first_stages(study, part)
        if name in held:
            yield f"{origin}: its run is made from its own run; a first stage must be there before what reorders it"
        if isinstance(retriever, Reranked):
            if not isinstance(study.entities["rankers"][retriever.ranker], Reranker):
                yield f"{origin}: ranker: got {retriever.ranker!r}; it must be a cross-encoder, seq2seq or decoder"
            if retriever.recipe and study.is_generated(retriever.recipe):
                yield f"{origin}: recipe: got {retriever.recipe!r}; it needs a language model, which no first stage has"


def _first_stages(study: Study, name: str) -> list[str]:
    """Return the retrievers whose runs the run of one is made from, or the model that makes it."""
    retriever = study.entities["retrievers"][name]
    if isinstance(retriever, Ordered):
        return list(study.entities["pools"][retriever.pool].sources)
    if not isinstance(retriever, Reranked):
        return []
    recipe = study.entities["recipes"][retriever.recipe] if retriever.recipe else None
    if isinstance(recipe, PairsRecipe):
        return [retriever.retriever, recipe.negatives.retriever]
    return [retriever.retriever, *([recipe.retriever] if isinstance(recipe, DistilRecipe) else [])]


def _recipes(study: Study) -> Iterable[str]:
    for name, recipe in study.entities["recipes"].items():
        origin = f"{study.folder}/recipes/{name}.yaml"
        if isinstance(study.entities["corpora"][recipe.corpus], MixedCorpus):
            yield f"{origin}: corpus: got {recipe.corpus!r}; it is mixed, and for tests alone"
        elif isinstance(recipe, Sized):
            yield from split_problems(study, origin, recipe.corpus, TRAIN)
            yield from _written(study, origin, recipe)
        elif isinstance(recipe, TeacherRecipe) and recipe.split:
            yield from split_problems(study, origin, recipe.corpus, recipe.split)
            yield from _tested(study, f"{origin}: split", recipe.corpus, recipe.split)
        elif isinstance(recipe, DistilRecipe):
            teacher = study.entities["retrievers"][recipe.teacher]
            if not isinstance(teacher, Dense):
                yield f"{origin}: teacher: got {recipe.teacher!r}; it must be dense"
            elif teacher.query_model:
                yield f"{origin}: teacher: got {recipe.teacher!r}; it has a query_model, but one model must encode both"
        elif isinstance(recipe, OrderRecipe):
            names = {*study.entities["augmentations"], *study.entities["corpora"][recipe.corpus].splits}
            if recipe.queries not in names:
                yield f"{origin}: queries: got {recipe.queries!r}; no such augmentation or split ({known(names)})"
            yield from _tested(study, f"{origin}: queries", recipe.corpus, recipe.queries)
            pool = study.entities["pools"][recipe.pool]
            if recipe.source and (recipe.source not in pool.sources or pool.strategy != "per-query-source"):
                yield (
                    f"{origin}: source: got {recipe.source!r}; pool {recipe.pool!r} must take one source's list a "
                    f"query, and it among them (strategy {pool.strategy}, {known(pool.sources)})"
                )


def _written(study: Study, origin: str, recipe: Sized) -> Iterable[str]:
    """Yield a line for each paradigm whose passages a recipe cannot label: levels are for graded recipes alone."""
    graded = isinstance(recipe, GradedRecipe)
    key = "paradigm" if graded else "positives.paradigm"
    for paradigm in recipe.paradigms:
        if isinstance(study.entities["paradigms"][paradigm], GradedParadigm) != graded:
            wrong = "it must be graded" if graded else "it is graded; use a recipe of kind graded"
            yield f"{origin}: {key}: got {paradigm!r}; {wrong}"


def _tested(study: Study, origin: str, corpus: str, split: str) -> Iterable[str]:
    """Yield a line for each test set whose queries a recipe would train on."""
    for name, testset in study.entities["testsets"].items():
        asked = [(testset.corpus, testset.split)]
        mixed = study.entities["corpora"][testset.corpus]
        if isinstance(mixed, MixedCorpus):  # it asks the queries of another corpus
            asked.append((mixed.corpus, mixed.splits.get(testset.split, "")))
        if (corpus, split) in asked and split != TRAIN:
            yield f"{origin}: got {split!r}; test set {name!r} tests on it, so it must not train"


def _published(study: Study) -> Iterable[str]:
    for name, published in study.entities["published"].items():
        figures = Counter(
            (item.method, item.model, item.first_stage, testset, measure)
            for item in published.results
            for testset, values in item.values.items()
            for measure in values
        )
        for figure, count in figures.items():
            if count > 1:
                said = ", ".join(filter(None, figure))
                yield f"{study.folder}/published/{name}.yaml: results: {said} is stated {count} times; keep one source"
        testsets = study.entities["testsets"].keys()
        stated = {testset for item in published.results for testset in item.values}
        for testset in sorted(stated - testsets - {*published.elsewhere}):
            yield (
                f"{study.folder}/published/{name}.yaml: results.values: got {testset!r}; no such test set, so that the "
                f"figure would stand beside nothing ({known(testsets)}); mend it, or list it under elsewhere"
            )
        for testset in sorted({*published.elsewhere} & testsets | {*published.elsewhere} - stated):
            wrong = "it is a test set here" if testset in testsets else "no result is of it"
            yield f"{study.folder}/published/{name}.yaml: elsewhere: got {testset!r}; {wrong}, leave it out"


def _experiment(study: Study) -> Iterable[str]:
    experiment = study.experiment
    if any(study.is_generated(name) for name in experiment.recipes) and not experiment.llms:
        yield "experiment: llms: is empty, but a recipe has generated passages; name at least one LLM"
    if experiment.twolar:
        recipes = {*experiment.twolar.recipes, *(n for a in experiment.twolar.ablations.values() for n in a.recipes)}
        if any(study.is_generated(name) for name in recipes) and not experiment.twolar.llms:
            yield "experiment: twolar.llms: is empty, but a recipe needs a language model; name at least one LLM"
        yield from _scored(study, sorted(recipes), experiment.twolar.llms)
        for name in sorted({*experiment.twolar.rankers} & {*experiment.twolar.untrained}):
            yield f"experiment: twolar.untrained: {name!r} is among twolar.rankers, which are measured untrained too"
        yield from _tested_twice(study, "twolar.suites", experiment.twolar.suites)
    for suite in experiment.bias.suites if experiment.bias else ():
        for name, testset in study.testsets_of(suite).items():
            if not isinstance(study.entities["corpora"][testset.corpus], MixedCorpus):
                yield (
                    f"experiment: bias.suites: {suite!r} has test set {name!r}, whose corpus {testset.corpus!r} is not "
                    "mixed; bias is measured where passages of both kinds are ranked"
                )
    yield from _tested_twice(study, "suites", experiment.suites)
    for key, part in (("", experiment), ("twolar.", experiment.twolar)):
        for name in sorted({*part.first_stages} & {*part.rankers}) if part else ():
            yield f"experiment: {key}first_stages: {name!r} is a ranker too, so that a table cannot tell them apart"


def _tested_twice(study: Study, key: str, suites: Iterable[str]) -> Iterable[str]:
    """Yield a line for each test set of two suites: every table would count it twice."""
    first: dict[str, str] = {}
    for suite in suites:
        for name in study.testsets_of(suite):
            if first.setdefault(name, suite) != suite:
                both = f"{first[name]!r} and in {suite!r}"
                yield f"experiment: {key}: test set {name!r} is in {both}; name one of the two"


def _scored(study: Study, recipes: Iterable[str], llms: Iterable[str]) -> Iterable[str]:
    """Yield a line for each recipe whose ranking takes log-probabilities, which hosted LLMs do not give."""
    hosted = [name for name in llms if isinstance(study.entities["llms"][name], OpenAiLlm | GeminiLlm)]
    for name in recipes:
        recipe = study.entities["recipes"][name]
        if hosted and isinstance(recipe, OrderRecipe) and study.entities["rankings"][recipe.ranking].scores:
            yield (
                f"{study.folder}/recipes/{name}.yaml: ranking: {recipe.ranking!r} takes log-probabilities, which the "
                f"hosted LLM {hosted[0]!r} does not give; take a local LLM, or a ranking that reads what is written"
            )


def _encoders(study: Study) -> Iterable[str]:
    """Yield a line for each retriever named for its vectors that does not encode all texts with one model."""
    validity = study.experiment.validity
    named = {
        "experiment: validity.retriever": validity and validity.retriever,
        "experiment: validity.leaks.retriever": validity and validity.leaks.retriever,
    }
    for name, recipe in study.entities["recipes"].items():
        if isinstance(recipe, Sized) and recipe.drop_leaks:
            named[f"{study.folder}/recipes/{name}.yaml: drop_leaks.retriever"] = recipe.drop_leaks.retriever
        if isinstance(recipe, PairsRecipe):
            named |= {
                f"{study.folder}/recipes/{name}.yaml: positives.filter.retriever": item.filter.retriever
                for item in recipe.positives
                if isinstance(item.filter, RetrieverFilter)
            }
        if isinstance(recipe, Sized) and recipe.negatives:
            named[f"{study.folder}/recipes/{name}.yaml: negatives.guard.scored_by"] = recipe.negatives.guard.scored_by
    for origin, retriever in named.items():
        spec = study.entities["retrievers"][retriever] if retriever else None
        if spec and not isinstance(spec, Dense):
            yield f"{origin}: got {retriever!r}; it must be dense"
        elif spec and spec.query_model:
            yield f"{origin}: got {retriever!r}; it has a query_model, but one model must encode both"
