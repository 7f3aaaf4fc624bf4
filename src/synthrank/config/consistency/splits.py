"""Check that each split is used for only one purpose: training, choosing settings or testing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from synthrank.config.corpora import TRAIN, BeirCorpus, DocumentationCorpus, IrdsCorpus, MixedCorpus, SplitPart
from synthrank.config.origins import content, origins
from synthrank.config.recipes import OrderRecipe, Sized, TeacherRecipe
from synthrank.errors import suggest
from synthrank.runtime.environment import data_folder

if TYPE_CHECKING:
    from synthrank.config.study import Study


def development_problems(study: Study) -> Iterable[str]:
    """Yield a line per development split that is not held out, is tested on, or is missing."""
    yield from _check_development(study)
    yield from _check_development_tested(study)
    yield from _trained_on(study)
    yield from _check_trained_and_tested(study)
    yield from _missing(study)
    yield from _check_mixture_weights(study)


def _check_development(study: Study) -> Iterator[str]:
    for name, corpus in study.entities["corpora"].items():
        origin = f"{study.folder}/corpora/{name}.yaml: development"
        if corpus.development is None:
            continue
        if isinstance(corpus, MixedCorpus):
            yield f"{origin}: a mixed corpus is only for testing; remove the key"
        elif corpus.development == TRAIN:
            yield f"{origin}: {TRAIN!r} is trained on; state a held-out split"
        elif corpus.development not in corpus.splits:
            yield f"{origin}: no split {corpus.development!r}{suggest(corpus.development, corpus.splits)}"


def _check_development_tested(study: Study) -> Iterator[str]:
    """Yield a line per test set of the experiment that shares queries with a development split of any corpus."""
    tuned = {
        name: _queries(study, name, corpus.development)
        for name, corpus in study.entities["corpora"].items()
        if corpus.development
    }
    suites = (*study.experiment.suites, *(study.experiment.twolar.suites if study.experiment.twolar else ()))
    for name, spec in study.testsets_of(*suites).items():
        asked = _queries(study, spec.corpus, spec.split)
        found = [corpus for corpus, chosen_on in tuned.items() if _have_shared_queries(chosen_on, asked)]
        if found:
            corpus = spec.corpus if spec.corpus in found else found[0]
            yield (
                f"{study.folder}/testsets/{name}.yaml: split: {spec.split!r} shares queries with the development split "
                f"of corpus {corpus!r}; test on another split"
            )


@dataclass(frozen=True, slots=True)
class _Queries:
    """The source of a split's queries. Two corpora may have the same source."""

    source: tuple[str, ...]
    part: SplitPart | None = None
    qrels: str = ""
    file: Path = Path()


def _queries(study: Study, name: str, split: str) -> _Queries:
    corpus = study.entities["corpora"][name]
    source = corpus.splits.get(split, "")
    if isinstance(corpus, MixedCorpus):
        return _queries(study, corpus.corpus, source)
    if isinstance(corpus, IrdsCorpus) and source:
        return _Queries(("ir_datasets", source))
    if isinstance(corpus, DocumentationCorpus) and split in corpus.splits:
        # Keys about other passages do not affect the splits of queries.
        kept = {"archives", "seed", "splits", "min_words", "max_words", "questions", "queries"}
        kept |= {"min_heading_words", "generic"}
        return _Queries((corpus.source, corpus.model_dump_json(include=kept), split))
    if isinstance(corpus, BeirCorpus) and source:
        part = source if isinstance(source, SplitPart) else SplitPart(file=source, start=0, end=1)
        queries, qrels = content(corpus.folder, "queries.jsonl"), content(corpus.folder, part.file)
        return _Queries(("beir", queries), part, qrels, data_folder() / corpus.folder / part.file)
    return _Queries(("split", name, split))


@cache
def _ids(file: Path, qrels: str) -> frozenset[str]:
    """Return the ids of queries in a qrels file with this hash, or an empty set for a file that a later job refuses."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return frozenset()
    return frozenset(words[0] for line in lines if (words := line.split())) - {"query-id"}


def _have_shared_queries(one: _Queries, other: _Queries) -> bool:
    """Return whether two splits share queries. Disjoint ranges of the same order do not."""
    if one.source != other.source or one.part is None or other.part is None:
        return one.source == other.source
    if one.qrels != other.qrels:
        return not _ids(one.file, one.qrels).isdisjoint(_ids(other.file, other.qrels))
    apart = max(one.part.start, other.part.start) >= min(one.part.end, other.part.end)
    return not apart or one.part.seed != other.part.seed


def answerable_testsets(study: Study, recipe: str) -> list[str]:
    """Return the experiment's test sets whose relevant passages may be in a recipe's training set.

    They have the same data as the recipe's corpus. Relevant passages of the recipe's own corpus are held out from
    training, unless it states ``answers_may_train``. Those of another corpus with the same data are not.
    """
    own, same = study.entities["recipes"][recipe].corpus, origins(study)
    may_train = study.entities["corpora"][own].answers_may_train
    tested = study.testsets_of(*study.experiment.suites)
    return [
        name for name, spec in tested.items() if same[spec.corpus] == same[own] and (may_train or spec.corpus != own)
    ]


def selections(study: Study, rankers: Iterable[str]) -> list[str]:
    """Return a sentence per ranker with ``selection``: the split, the grid and the number of trainings."""
    return [_selection(study, name) for name in dict.fromkeys(rankers) if study.entities["rankers"][name].selection]


def _selection(study: Study, name: str) -> str:
    chosen = study.entities["rankers"][name].selection
    rates, points = (", ".join(f"{item:g}" for item in values) for values in (chosen.learning_rates, chosen.points))
    recipes = [recipe for recipe, ranker in trained_pairs(study) if ranker == name]
    corpora = dict.fromkeys(study.entities["recipes"][recipe].corpus for recipe in recipes)
    splits = " or ".join(f"`{study.entities['corpora'][corpus].development}` of `{corpus}`" for corpus in corpora)
    queries = f"at most {chosen.queries:,} queries" if chosen.queries else "all queries"
    return (
        f"Settings of `{name}` were chosen on the development split {splits}, which is not a test set: learning rate "
        f"among {rates}, and {chosen.unit} among {points}, by {chosen.measure} over {queries}, reranking the top "
        f"{chosen.depth} of {chosen.retriever}. Every recipe, LLM and seed has this budget of "
        f"{len(chosen.learning_rates)} trainings. `selection.json` of each checkpoint lists every trial."
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
                f"{study.folder}/recipes/{name}.yaml: {key}: {trained!r} is the development split of corpus "
                f"{recipe.corpus!r}; train on another split"
            )


def _check_trained_and_tested(study: Study) -> Iterator[str]:
    """Yield a line per test set of the experiment that shares queries with training on any corpus."""
    tested = study.testsets_of(*study.experiment.suites)
    for recipe in dict.fromkeys(recipe for recipe, _ in trained_pairs(study)):
        spec = study.entities["recipes"][recipe]
        split = TRAIN if isinstance(spec, Sized) else str(getattr(spec, "split", None) or getattr(spec, "queries", ""))
        if split not in study.entities["corpora"][spec.corpus].splits:
            continue  # an augmentation
        trained = _queries(study, spec.corpus, split)
        for name, testset in tested.items():
            if _have_shared_queries(trained, _queries(study, testset.corpus, testset.split)):
                yield (
                    f"{study.folder}/testsets/{name}.yaml: split: {testset.split!r} shares queries with split "
                    f"{split!r} of corpus {spec.corpus!r}, on which recipe {recipe!r} trains; test on another split"
                )


def _missing(study: Study) -> Iterator[str]:
    """Yield a line per ranker with ``selection`` that a recipe without development split trains."""
    for recipe, ranker in trained_pairs(study):
        corpus = study.entities["recipes"][recipe].corpus
        if study.entities["rankers"][ranker].selection and study.entities["corpora"][corpus].development is None:
            yield (
                f"{study.folder}/rankers/{ranker}.yaml: selection: corpus {corpus!r} of recipe {recipe!r} has no "
                "development split; state `development` in its file, or train this recipe with a ranker without "
                "selection"
            )


def _check_mixture_weights(study: Study) -> Iterator[str]:
    """Yield a line per ranker with ``rerank.mix`` whose corpus has no development split."""
    for name, ranker in study.entities["rankers"].items():
        mix = ranker.rerank.mix if ranker.rerank else None
        if mix and study.entities["corpora"][mix.corpus].development is None:
            yield (
                f"{study.folder}/rankers/{name}.yaml: rerank.mix.corpus: {mix.corpus!r} has no development split; "
                "state `development` in its file, or use another corpus"
            )


def trained_pairs(study: Study) -> list[tuple[str, str]]:
    """Return each (recipe, ranker) that the experiment trains, including the bases of rankers."""
    experiment = study.experiment
    twolar = experiment.twolar
    asked: list[tuple[Sequence[str], Sequence[str]]] = [(study.recipes, experiment.rankers)]
    asked += [(claim.recipes, claim.rankers) for claim in experiment.stated_claims]
    asked += [(twolar.recipes, twolar.rankers)] if twolar else []
    asked += [(item.recipes, item.rankers) for item in twolar.ablations.values()] if twolar else []
    waiting = [(recipe, ranker) for recipes, rankers in asked for recipe in recipes for ranker in rankers]
    for _, ranker in waiting:  # the loop appends to it
        base = study.entities["rankers"][ranker].base
        if base.recipe and (base.recipe, base.ranker) not in waiting:
            waiting.append((base.recipe, base.ranker))
    return list(dict.fromkeys(waiting))
