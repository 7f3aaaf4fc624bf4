"""How much work the tables of an experiment are: jobs by rule, and how long they roughly take."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from synthrank.plan import rates
from synthrank.plan.asked_for import AskedFor, FirstStage, Model
from synthrank.plan.line import Line
from synthrank.plan.queries import query_count
from synthrank.specs.rankers import PromptRanker
from synthrank.specs.recipes import DistilRecipe, GradedRecipe, OrderRecipe, PairsRecipe
from synthrank.specs.retrievers import Bm25, Dense, Reranked, Sparse
from synthrank.specs.testsets import TestsetSpec
from synthrank.study import Study

Seconds = float | None
"""None where a corpus does not say how large it is, or a model's file how many parameters it has."""


@dataclass(frozen=True, slots=True)
class Work:
    """The jobs of one rule, and the seconds that all of them take together on one core, or on one GPU each.

    ``hosted`` where they wait for others' machines.
    """

    rule: str
    jobs: int
    seconds: Seconds
    hosted: bool = False


def work(study: Study, lines: Sequence[Line]) -> list[Work]:
    """Return what each rule has to do, in the order in which it is done; rules of no jobs are left out.

    Args:
        study: the study.
        lines: what language models are asked; hosted ones take the time that their limits leave.
    """
    found = [*_Workload(study).lines(), *_asking(lines, study)]
    return [item for item in found if item.jobs]


class _Workload:
    """The jobs of one study."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._asked = AskedFor(study)

    def lines(self) -> Iterator[Work]:
        """Yield a line for each rule."""
        asked, shards = self._asked, self._study.experiment.shards
        yield _line("build_passages", [_over(self._passages(name), rates.PASSAGES_BUILT) for name in asked.corpora])
        bm25, dense, sparse = (self._collections(kind) for kind in (Bm25, Dense, Sparse))
        yield _line("index_bm25", [_over(self._passages(run.corpus), rates.PASSAGES_INDEXED) for run in bm25])
        yield _line("search_bm25", [self._searched(run, rates.POSTINGS_SEARCHED) for run in self._runs(Bm25)])
        yield _line("encode_dense", [self._encoded(run) for run in dense], shards.encode)
        yield _line("search_dense", [self._searched(run, rates.VECTORS_COMPARED) for run in self._runs(Dense)])
        yield _line("encode_sparse", [self._encoded(run) for run in sparse], shards.encode)
        yield _line("search_sparse", [self._searched(run, rates.POSTINGS_SEARCHED) for run in self._runs(Sparse)])
        yield _line("rerank_run", [self._reordered(run) for run in self._runs(Reranked)], shards.rerank)
        yield _line("train_ranker", [self._training(model) for model in asked.checkpoints])
        searching = [(suite, item) for suite, item in asked.scored if self._searches(item)]
        reordering = [(suite, item) for suite, item in asked.scored if not self._searches(item)]
        yield _line("search_suite", [self._searched_suite(*pair) for pair in searching], shards.encode)
        yield _line("merge_suite", [rates.SMALL_JOB] * len(searching))
        yield _line("rerank_suite", [self._reordered_suite(*pair) for pair in reordering], shards.rerank)
        yield _line("score_suite", [rates.SMALL_JOB] * len(asked.scored))
        yield _line("score_first_stage", [rates.SMALL_JOB] * len(asked.measured))

    # What there is to do

    def _passages(self, corpus: str) -> int | None:
        stated: int | None = self._study.entities["corpora"][corpus].counts.passages
        return stated

    def _queries(self, corpus: str, queryset: str) -> int:
        return query_count(self._study, corpus, queryset)

    def _runs(self, kind: type) -> list[FirstStage]:
        return [run for run in self._asked.runs if isinstance(self._study.entities["retrievers"][run.retriever], kind)]

    def _collections(self, kind: type) -> list[FirstStage]:
        """Return one run of each collection and retriever of a kind: they share an index."""
        return list({(run.corpus, run.retriever): run for run in self._runs(kind)}.values())

    def _searches(self, model: Model) -> bool:
        return self._study.entities["rankers"][model.ranker].rerank is None

    def _testsets(self, suite: str) -> Iterable[TestsetSpec]:
        return self._study.testsets_of(suite).values()

    # How long it takes

    def _parameters(self, ranker: str) -> float | None:
        """Return the millions of parameters of a ranker's model, of the one at the start of a chain of bases."""
        base = self._study.entities["rankers"][ranker].base
        if base.model is None:
            return self._parameters(base.ranker)
        stated: float | None = self._study.entities["models"][base.model].parameters
        return stated

    def _pair_tokens(self, name: str, length: int) -> float:
        """Return the tokens of a query with a passage that a ranker reads, at most ``length``."""
        ranker = self._study.entities["rankers"][name]
        words = len(ranker.prompt.split()) - rates.PROMPT_WORDS if isinstance(ranker, PromptRanker) else 0
        return min(length, rates.PAIR_TOKENS + max(0, words) * rates.TOKENS_A_WORD)

    def _searched(self, run: FirstStage, rate: float) -> Seconds:
        passages = self._passages(run.corpus)
        return passages and passages * self._queries(run.corpus, run.queryset) / rate

    def _encoded(self, run: FirstStage) -> Seconds:
        spec = self._study.entities["retrievers"][run.retriever]
        parameters = self._study.entities["models"][spec.model].parameters
        return _passed(self._passages(run.corpus), min(spec.max_length, rates.PASSAGE_TOKENS), parameters)

    def _reordered(self, run: FirstStage) -> Seconds:
        spec = self._study.entities["retrievers"][run.retriever]
        length = self._study.entities["rankers"][spec.ranker].eval_length
        pairs = self._queries(run.corpus, run.queryset) * spec.depth
        return _passed(pairs, self._pair_tokens(spec.ranker, length), self._parameters(spec.ranker))

    def _searched_suite(self, suite: str, model: Model) -> Seconds:
        """Return the seconds of encoding each collection, once where test sets share it, and of searching it."""
        length = min(self._study.entities["rankers"][model.ranker].eval_length, rates.PASSAGE_TOKENS)
        parameters, tests = self._parameters(model.ranker), list(self._testsets(suite))
        encoded = [_passed(self._passages(name), length, parameters) for name in {item.corpus: None for item in tests}]
        runs = [FirstStage(item.corpus, "", item.split) for item in tests]
        return _sum([*encoded, *(self._searched(run, rates.VECTORS_COMPARED) for run in runs)])

    def _reordered_suite(self, suite: str, model: Model) -> Seconds:
        ranker = self._study.entities["rankers"][model.ranker]
        found = [(item, item.reranked(ranker.rerank)) for item in self._testsets(suite)]
        pairs = sum(self._queries(item.corpus, item.split) * reordered[1] for item, reordered in found if reordered)
        return _passed(pairs, self._pair_tokens(model.ranker, ranker.eval_length), self._parameters(model.ranker))

    def _training(self, model: Model) -> Seconds:
        ranker = self._study.entities["rankers"][model.ranker]
        optimiser = ranker.optimiser
        groups, passages = self._groups(model.recipe, ranker.negatives)
        if optimiser.max_updates:
            seen: float | None = optimiser.max_updates * optimiser.batch_size * optimiser.accumulation
        else:
            seen = groups and groups * optimiser.epochs
        cost = rates.TRAINING
        cost += rates.RECOMPUTED if optimiser.gradient_checkpointing else 0
        cost -= rates.FROZEN if ranker.lora else 0
        tokens, parameters = self._pair_tokens(model.ranker, ranker.max_length), self._parameters(model.ranker)
        once = _passed(seen and passages and seen * passages, tokens, parameters, cost)
        if ranker.selection is None:
            return once
        trainings = len(ranker.selection.learning_rates)
        pairs = trainings * len(ranker.selection.points) * self._development_pairs(model)
        return _sum([once and trainings * once, _passed(pairs, tokens, parameters)])

    def _development_pairs(self, model: Model) -> int:
        """Return how many candidates of the development split are reordered at one point of a selection."""
        selection = self._study.entities["rankers"][model.ranker].selection
        corpus = self._study.entities["recipes"][model.recipe].corpus
        queries = self._queries(corpus, self._study.entities["corpora"][corpus].development)
        return int(min(queries, selection.queries or queries) * selection.depth)

    def _groups(self, name: str, negatives: int | None) -> tuple[float | None, float | None]:
        """Return how many groups a training set has, and how many passages each has beside its query."""
        recipe = self._study.entities["recipes"][name]
        if isinstance(recipe, PairsRecipe):
            return recipe.pairs, 1 + min(recipe.negatives.count, negatives or recipe.negatives.count)
        if isinstance(recipe, GradedRecipe):
            levels = len(self._study.entities["paradigms"][recipe.paradigm].levels)
            return recipe.queries, levels + (recipe.negatives.count if recipe.negatives else 0)
        if isinstance(recipe, DistilRecipe):
            return self._queries(recipe.corpus, recipe.queries), recipe.depth
        if isinstance(recipe, OrderRecipe):
            queries = self._queries(recipe.corpus, recipe.queries)
            return min(queries, recipe.max_queries or queries), recipe.depth
        return None, recipe.depth  # others' orders: how many there are, only their files say


def _passed(texts: float | None, tokens: float, millions: float | None, cost: int = rates.FORWARD) -> Seconds:
    """Return the seconds that a model takes for so many texts."""
    if texts is None or millions is None:
        return None
    return texts * tokens * cost * millions * 1e6 / rates.FLOPS


def _over(count: float | None, rate: float) -> Seconds:
    return None if count is None else count / rate


def _sum(parts: Iterable[Seconds]) -> Seconds:
    """Return the sum; None where a part is not known."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _line(rule: str, parts: Sequence[Seconds], shards: int = 1) -> Work:
    """Return the line of a rule whose every piece of work is done by as many jobs as there are shards."""
    return Work(rule, len(parts) * shards, _sum(parts))


def _asking(lines: Sequence[Line], study: Study) -> Iterator[Work]:
    """Yield the rules that ask language models; what a local one takes is not known."""
    shards = study.experiment.shards
    asking = {"ask_queries": shards.write, "generate_passages": shards.write, "rank_candidates": shards.order}
    for rule, share in asking.items():
        mine = [line for line in lines if line.rule == rule]
        seconds = _sum(line.minutes * 60 if line.minutes else None for line in mine)
        yield Work(rule, len(mine) * share, seconds, hosted=seconds is not None)
