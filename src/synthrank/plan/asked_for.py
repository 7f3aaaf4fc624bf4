"""Which jobs the tables of an experiment need, counted from the paths that its tables are made from.

No dry-run of Snakemake's: for a full study that takes half a minute, and says how many jobs there are, not how large.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synthrank.needs import Needs
from synthrank.specs.base import NONE
from synthrank.specs.corpora import MixedCorpus
from synthrank.specs.paradigms import queryset_of
from synthrank.specs.recipes import DistilRecipe, OrderRecipe, Sized
from synthrank.specs.retrievers import Ordered, Reranked
from synthrank.study import Study

_SCORED = re.compile(r"results/metrics/suites/([^/]+)/([^/]+)/([^/]+)/([^/]+)/seed-(\d+)\.csv")
_FIRST_STAGE = re.compile(r"results/metrics/testsets/([^/]+)/([^/]+)\.csv")


@dataclass(frozen=True, slots=True)
class Model:
    """A ranker that a recipe trained with an LLM's passages and a seed; recipe ``none`` is its base."""

    recipe: str
    llm: str
    ranker: str
    seed: int


@dataclass(frozen=True, slots=True)
class FirstStage:
    """A retriever's run."""

    corpus: str
    retriever: str
    queryset: str


class AskedFor:
    """What the tables of a study need. Tables of its validity, of bias and of replies are left out."""

    def __init__(self, study: Study) -> None:
        self._study = study
        paths = dict.fromkeys(_metrics(study))
        found = [match.groups() for path in paths if (match := _SCORED.fullmatch(path))]
        self.scored = [(suite, Model(recipe, llm, ranker, int(seed))) for suite, recipe, llm, ranker, seed in found]
        self.measured = [match.groups() for path in paths if (match := _FIRST_STAGE.fullmatch(path))]
        self.checkpoints = list(dict.fromkeys(self._trained(model for _, model in self.scored)))
        self.trainsets = list(dict.fromkeys((item.recipe, item.llm) for item in self.checkpoints))
        self.runs = list(dict.fromkeys(self._runs()))
        self.corpora = list(dict.fromkeys(self._corpora()))

    def _trained(self, models: Iterable[Model]) -> Iterator[Model]:
        """Yield the models that recipes train, and those that they start from."""
        waiting = list(models)
        while waiting:
            model = waiting.pop()
            base = self._study.entities["rankers"][model.ranker].base
            if model.recipe != NONE:
                yield model
            if base.recipe:
                waiting.append(Model(base.recipe, NONE, base.ranker, model.seed))

    def _runs(self) -> Iterator[FirstStage]:
        """Yield every run of a first stage, and those that it is made from."""
        waiting = [*self._measured_runs(), *self._candidate_runs(), *self._development_runs()]
        while waiting:
            run = waiting.pop()
            yield run
            spec = self._study.entities["retrievers"][run.retriever]
            sources = [spec.retriever] if isinstance(spec, Reranked) else []
            if isinstance(spec, Ordered):
                sources = list(self._study.entities["pools"][spec.pool].sources)
            waiting += [FirstStage(run.corpus, name, run.queryset) for name in sources]

    def _measured_runs(self) -> Iterator[FirstStage]:
        """Yield the runs that have rows of their own, and those that rankers reorder."""
        testsets = self._study.entities["testsets"]
        for name, retriever in self.measured:
            yield FirstStage(testsets[name].corpus, retriever, testsets[name].split)
        for suite, model in self.scored:
            for testset in self._study.testsets_of(suite).values():
                reordered = testset.reranked(self._study.entities["rankers"][model.ranker].rerank)
                if reordered:
                    yield FirstStage(testset.corpus, reordered[0], testset.split)

    def _candidate_runs(self) -> Iterator[FirstStage]:
        """Yield the runs that training sets take candidates from."""
        for name, _ in self.trainsets:
            recipe = self._study.entities["recipes"][name]
            if isinstance(recipe, Sized) and recipe.negatives:
                for paradigm in recipe.paradigms:
                    queryset = queryset_of(self._study.entities["paradigms"][paradigm])
                    yield FirstStage(recipe.corpus, recipe.negatives.retriever, queryset)
            elif isinstance(recipe, DistilRecipe):
                yield FirstStage(recipe.corpus, recipe.retriever, recipe.queries)
            elif isinstance(recipe, OrderRecipe):
                for source in self._study.entities["pools"][recipe.pool].sources:
                    yield FirstStage(recipe.corpus, source, recipe.queries)

    def _development_runs(self) -> Iterator[FirstStage]:
        """Yield the runs that settings are chosen on."""
        for model in self.checkpoints:
            selection = self._study.entities["rankers"][model.ranker].selection
            if selection:
                corpus = self._study.entities["recipes"][model.recipe].corpus
                split = self._study.entities["corpora"][corpus].development
                yield FirstStage(corpus, selection.retriever, split)

    def _corpora(self) -> Iterator[str]:
        """Yield the corpora of the test sets and the recipes, and what mixed ones are made of."""
        names = [spec.corpus for suite, _ in self.scored for spec in self._study.testsets_of(suite).values()]
        names += [self._study.entities["recipes"][name].corpus for name, _ in self.trainsets]
        for name in names:
            spec = self._study.entities["corpora"][name]
            yield spec.corpus if isinstance(spec, MixedCorpus) else name


class _Wildcards:
    """Wildcards of a table: an ablation's name, where it is one's."""

    def __init__(self, **names: str) -> None:
        self._names = names

    def __getattr__(self, name: str) -> str:
        return self._names[name]


def _metrics(study: Study) -> Iterator[str]:
    """Yield the files of scores that the tables are made from."""
    needs, stated, none = Needs(study), study.experiment, _Wildcards()
    yield from needs.metrics
    if stated.claims:
        yield from needs.claims_metrics(none)
    if stated.enrichment:
        yield from needs.enrichment_metrics(none)
    if stated.sizes:
        yield from needs.sizes_metrics(none)
    if stated.twolar:
        yield from needs.twolar_metrics(none)
        for name in stated.twolar.ablations:
            yield from needs.ablation_metrics(_Wildcards(ablation=name))
