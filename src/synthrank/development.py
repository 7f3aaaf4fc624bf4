"""What may be wrong with the splits that choices look at: a split is trained on, chosen on or tested on, never two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from posixpath import normpath
from typing import TYPE_CHECKING

from synthrank.errors import known
from synthrank.origins import origins
from synthrank.specs.corpora import TRAIN, BeirCorpus, DocumentationCorpus, IrdsCorpus, MixedCorpus, SplitPart
from synthrank.specs.recipes import OrderRecipe, Sized, TeacherRecipe

if TYPE_CHECKING:
    from synthrank.study import Study


def development_problems(study: Study) -> Iterable[str]:
    """Yield one line for each development split that is no held-out split, is tested on, or is missing."""
    yield from _stated(study)
    yield from _tested(study)
    yield from _trained_on(study)
    yield from _trained_and_tested(study)
    yield from _missing(study)
    yield from _mixed(study)


def _stated(study: Study) -> Iterator[str]:
    for name, corpus in study.entities["corpora"].items():
        origin = f"{study.folder}/corpora/{name}.yaml: development"
        if corpus.development is None:
            continue
        if isinstance(corpus, MixedCorpus):
            yield f"{origin}: got {corpus.development!r}; a mixed corpus is for tests alone, leave the key out"
        elif corpus.development == TRAIN:
            yield f"{origin}: got {TRAIN!r}; it is trained on, so nothing can be chosen on it; name a held-out split"
        elif corpus.development not in corpus.splits:
            yield f"{origin}: got {corpus.development!r}; no such split ({known(corpus.splits)})"


def _tested(study: Study) -> Iterator[str]:
    """Yield a line for each test set of the experiment whose queries choices look at, under any corpus's name."""
    tuned = {
        name: _queries(study, name, corpus.development)
        for name, corpus in study.entities["corpora"].items()
        if corpus.development
    }
    suites = (*study.experiment.suites, *(study.experiment.twolar.suites if study.experiment.twolar else ()))
    for name, spec in study.testsets_of(*suites).items():
        asked = _queries(study, spec.corpus, spec.split)
        found = [corpus for corpus, chosen_on in tuned.items() if _shared(chosen_on, asked)]
        if found:
            corpus = spec.corpus if spec.corpus in found else found[0]
            yield (
                f"{study.folder}/testsets/{name}.yaml: split: got {spec.split!r}, which is the development split of "
                f"corpus {corpus!r}; it is tuned on, so it must not be tested on"
            )


@dataclass(frozen=True, slots=True)
class _Queries:
    """What the queries of a split are read from: two corpora may read one collection, for different uses."""

    source: tuple[str, ...]
    part: SplitPart | None = None


def _queries(study: Study, name: str, split: str) -> _Queries:
    corpus = study.entities["corpora"][name]
    source = corpus.splits.get(split, "")
    if isinstance(corpus, MixedCorpus):
        return _queries(study, corpus.corpus, source)
    if isinstance(corpus, IrdsCorpus) and source:
        return _Queries(("ir_datasets", source))
    if isinstance(corpus, DocumentationCorpus) and split in corpus.splits:
        # Other passages of the pages change no query's split.
        kept = {"archives", "seed", "splits", "min_words", "max_words", "questions", "queries"}
        kept |= {"min_heading_words", "generic"}
        return _Queries((corpus.source, corpus.model_dump_json(include=kept), split))
    if isinstance(corpus, BeirCorpus) and source:
        part = source if isinstance(source, SplitPart) else SplitPart(file=source, start=0, end=1)
        return _Queries(("beir", normpath(corpus.folder), normpath(part.file)), part)
    return _Queries(("split", name, split))


def _shared(one: _Queries, other: _Queries) -> bool:
    """Tell whether two splits have queries in common; parts of one order that do not overlap have none."""
    if one.source != other.source or one.part is None or other.part is None:
        return one.source == other.source
    apart = max(one.part.start, other.part.start) >= min(one.part.end, other.part.end)
    return not apart or one.part.seed != other.part.seed


def answerable_testsets(study: Study, recipe: str) -> list[str]:
    """Return the experiment's test sets over the collection of a recipe, whose answers its training set may hold.

    Answers to held-out queries of the recipe's own corpus are in no training set, unless the corpus lets them; another
    corpus that reads the same collection holds out nothing of it.
    """
    own, same = study.entities["recipes"][recipe].corpus, origins(study)
    may_train = study.entities["corpora"][own].answers_may_train
    tested = study.testsets_of(*study.experiment.suites)
    return [
        name for name, spec in tested.items() if same[spec.corpus] == same[own] and (may_train or spec.corpus != own)
    ]


def selections(study: Study, rankers: Iterable[str]) -> list[str]:
    """Return a sentence for each ranker whose settings were chosen: on what, and out of how much."""
    return [_selection(study, name) for name in dict.fromkeys(rankers) if study.entities["rankers"][name].selection]


def _selection(study: Study, name: str) -> str:
    chosen = study.entities["rankers"][name].selection
    rates, points = (", ".join(f"{item:g}" for item in values) for values in (chosen.learning_rates, chosen.points))
    recipes = [recipe for recipe, ranker in trained_pairs(study) if ranker == name]
    corpora = dict.fromkeys(study.entities["recipes"][recipe].corpus for recipe in recipes)
    splits = " or ".join(f"`{study.entities['corpora'][corpus].development}` of `{corpus}`" for corpus in corpora)
    queries = f"{chosen.queries:,} queries at most" if chosen.queries else "all queries"
    return (
        f"Settings of `{name}` were chosen on the development split, {splits}, which is no test set: learning rate "
        f"among {rates}, and {chosen.unit} among {points}, by {chosen.measure} over {queries}, reordering the top "
        f"{chosen.depth} of {chosen.retriever}. Every recipe, LLM and seed has this budget of "
        f"{len(chosen.learning_rates)} trainings; `selection.json` of each checkpoint tells of every trial."
    )


def _trained_on(study: Study) -> Iterator[str]:
    for name, recipe in study.entities["recipes"].items():
        trained = (
            recipe.split if isinstance(recipe, TeacherRecipe) else
            recipe.queries if isinstance(recipe, OrderRecipe) else None
        )  # fmt: skip
        if trained and trained == study.entities["corpora"][recipe.corpus].development:
            key = "split" if isinstance(recipe, TeacherRecipe) else "queries"
            yield (
                f"{study.folder}/recipes/{name}.yaml: {key}: got {trained!r}, which is the development split of corpus "
                f"{recipe.corpus!r}; settings are chosen on it, so it must not train"
            )


def _trained_and_tested(study: Study) -> Iterator[str]:
    """Yield a line for each test set of the experiment whose queries are trained on, under any corpus's name."""
    tested = study.testsets_of(*study.experiment.suites)
    for recipe in dict.fromkeys(recipe for recipe, _ in trained_pairs(study)):
        spec = study.entities["recipes"][recipe]
        split = TRAIN if isinstance(spec, Sized) else str(getattr(spec, "split", None) or getattr(spec, "queries", ""))
        if split not in study.entities["corpora"][spec.corpus].splits:
            continue  # an augmentation
        trained = _queries(study, spec.corpus, split)
        for name, testset in tested.items():
            if _shared(trained, _queries(study, testset.corpus, testset.split)):
                yield (
                    f"{study.folder}/testsets/{name}.yaml: split: got {testset.split!r}, whose queries recipe "
                    f"{recipe!r} trains on, as split {split!r} of corpus {spec.corpus!r}; test on others"
                )


def _missing(study: Study) -> Iterator[str]:
    """Yield a line for each recipe that trains a ranker with a selection, and whose corpus has nothing to choose on."""
    for recipe, ranker in trained_pairs(study):
        corpus = study.entities["recipes"][recipe].corpus
        if study.entities["rankers"][ranker].selection and study.entities["corpora"][corpus].development is None:
            yield (
                f"{study.folder}/rankers/{ranker}.yaml: selection: corpus {corpus!r} of recipe {recipe!r} has no "
                "development split; state `development` in its file, or train this recipe with a ranker without "
                "selection"
            )


def _mixed(study: Study) -> Iterator[str]:
    """Yield a line for each ranker whose weight beside its first stage's cannot be chosen."""
    for name, ranker in study.entities["rankers"].items():
        mix = ranker.rerank.mix if ranker.rerank else None
        if mix and study.entities["corpora"][mix.corpus].development is None:
            yield (
                f"{study.folder}/rankers/{name}.yaml: rerank.mix.corpus: {mix.corpus!r} has no development split; "
                "state `development` in its file, or name a corpus that has one"
            )


def trained_pairs(study: Study) -> list[tuple[str, str]]:
    """Return (recipe, ranker) of everything that the experiment trains, with what that starts from, each once."""
    experiment = study.experiment
    twolar = experiment.twolar
    asked: list[tuple[Sequence[str], Sequence[str]]] = [(study.recipes, experiment.rankers)]
    asked += [(claim.recipes, claim.rankers) for claim in experiment.stated_claims]
    asked += [(twolar.recipes, twolar.rankers)] if twolar else []
    asked += [(item.recipes, item.rankers) for item in twolar.ablations.values()] if twolar else []
    waiting = [(recipe, ranker) for recipes, rankers in asked for recipe in recipes for ranker in rankers]
    for _, ranker in waiting:  # grows while it is walked
        base = study.entities["rankers"][ranker].base
        if base.recipe and (base.recipe, base.ranker) not in waiting:
            waiting.append((base.recipe, base.ranker))
    return list(dict.fromkeys(waiting))
