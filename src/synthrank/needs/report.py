"""Inputs of the stage report."""

from collections.abc import Iterator

from synthrank.distillation import Ranked, made, rankings
from synthrank.needs.base import Paths, StageNeeds, Wildcards
from synthrank.specs.base import NONE, references
from synthrank.specs.recipes import Sized, base_and_size
from synthrank.specs.testsets import TestsetSpec

WITHOUT_TWIN = ("cost", "replies", "rankings")
"""Tables that have no Markdown twin."""


class ReportNeeds(StageNeeds):
    """What the page of an experiment shows: what the experiment has, and nothing that it has not."""

    def report_tables(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of the experiment, in the order of the page."""
        return [f"results/tables/{name}.csv" for name in self._tables()]

    def report_twins(self, wildcards: Wildcards) -> list[str]:
        """Return the Markdown twins of :meth:`report_tables`, where they have one: they say what a table shows."""
        return [f"results/tables/{name}.md" for name in self._tables() if name not in WITHOUT_TWIN]

    def report_figures(self, wildcards: Wildcards) -> list[str]:
        """Return the figures of the experiment, as Vega-Lite."""
        experiment = self.study.experiment
        stated = {
            "effectiveness": True,
            "differences": True,
            "cost": bool(self.study.generated()),
            "claims": experiment.claims is not None,
            "enrichment": experiment.enrichment is not None,
            "sizes": experiment.sizes is not None,
            "passages": experiment.validity is not None,
        }
        return [f"results/figures/{name}.vl.json" for name, is_stated in stated.items() if is_stated]

    def _tables(self) -> list[str]:
        experiment = self.study.experiment
        twolar = experiment.twolar
        stated = {
            ("id", "ood"): True,
            ("claims",): experiment.claims is not None,
            ("enrichment",): experiment.enrichment is not None,
            ("sizes",): experiment.sizes is not None,
            ("twolar", *(f"ablation-{name}" for name in (twolar.ablations if twolar else ()))): twolar is not None,
            ("bias",): experiment.bias is not None,
            ("cost", "replies"): bool(self.study.generated()),
            ("rankings",): twolar is not None and bool(rankings(self.study)),
            ("validity", "leaks"): experiment.validity is not None,
        }
        return [name for names, is_stated in stated.items() if is_stated for name in names]

    # One query at a time

    def report_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages of every paradigm of the passage study, human ones among them, by each LLM.

        Of several draws the one that the first seed trains on is shown.
        """
        return [f"{folder}/passages.jsonl" for _, folder in self._passage_folders()]

    def report_replies(self, file: str) -> Paths:
        """Return the replies of language models that were asked for passages, or those that became none."""
        return lambda wildcards: [f"{folder}/{file}" for folder in self._asked_for()]

    def _passage_folders(self) -> list[tuple[str, str]]:
        """Return each paradigm with the folder of its passages, by each LLM."""
        recipes = [self.study.entities["recipes"][name] for name in self.study.recipes]
        pairs = [(item.corpus, name) for item in recipes if isinstance(item, Sized) for name in item.paradigms]
        first = self.study.experiment.seeds[0]
        return [
            (paradigm, self.draws.passage_folder(corpus, paradigm, llm, self.draws.of_passages(paradigm, first)))
            for corpus, paradigm in dict.fromkeys(pairs)
            for llm in (self.study.experiment.llms if self.study.writes(paradigm) else (NONE,))
        ]

    def _asked_for(self) -> list[str]:
        return [folder for paradigm, folder in self._passage_folders() if self.study.writes(paradigm)]

    def report_testsets(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of the experiment's test sets, each once."""
        return [self.spec("testsets", name) for name in self._tested()]

    def report_split(self, file: str) -> Paths:
        """Return for each of :meth:`report_testsets` its queries or its judgments."""
        return lambda wildcards: self.of_testsets(self._tested().values(), file)

    def report_collections(self, wildcards: Wildcards) -> list[str]:
        """Return the passages of every corpus that a test set is of, or that language models order passages of."""
        corpora = [item.corpus for item in self._tested().values()] + [item.corpus for item in self._ordered()]
        return [f"results/corpora/{corpus}/passages.jsonl" for corpus in dict.fromkeys(corpora)]

    def report_first_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the runs of the experiment's first stages on its test sets."""
        return [
            f"results/runs/corpora/{item.corpus}/{retriever}/{item.split}.trec"
            for item in self._tested().values()
            for retriever in self.study.experiment.first_stages
        ]

    def report_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the runs of every ranker, untrained and trained with the first seed, on every suite."""
        experiment = self.study.experiment
        return [
            f"results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{experiment.seeds[0]}"
            for suite in experiment.suites
            for recipe, llm in [(NONE, NONE), *made(self.study, experiment.recipes, experiment.llms)]
            for ranker in experiment.rankers
        ]

    def report_candidates(self, wildcards: Wildcards) -> list[str]:
        """Return the candidates of each ranking by a language model."""
        pools = [f"results/rankings/{item.corpus}/{item.queryset}/{item.pool}" for item in self._ordered()]
        return [f"{pool}/candidates.jsonl" for pool in pools]

    def report_orders(self, file: str) -> Paths:
        """Return for each of :meth:`report_candidates` what the language model made of it: its order, or its asks."""
        return lambda wildcards: [
            f"results/rankings/{item.corpus}/{item.queryset}/{item.pool}/{item.ranking}/{item.llm}/{file}"
            for item in self._ordered()
        ]

    def _ordered(self) -> list[Ranked]:
        return rankings(self.study) if self.study.experiment.twolar else []

    def _tested(self) -> dict[str, TestsetSpec]:
        suites = self.study.experiment.suites
        return {name: spec for suite in suites for name, spec in self.study.testsets_of(suite).items()}

    # Provenance

    def report_specs(self, wildcards: Wildcards) -> list[str]:
        """Return every file under config/ that the experiment names, or that one of those names, each once."""
        return sorted({self._file(kind, name) for kind, name in self._named()})

    def _named(self) -> Iterator[tuple[str, str]]:
        """Yield (kind, name) of all that the experiment leads to."""
        waiting = [(kind, name) for _, kind, name in references(self.study.experiment)]
        seen = set()
        while waiting:
            item = kind, name = waiting.pop()
            if item in seen:
                continue
            seen.add(item)
            yield item
            if kind != "prompts":
                waiting += [(other, named) for _, other, named in references(self.study.entities[kind][name])]

    def _file(self, kind: str, name: str) -> str:
        return self.prompt_file(name) if kind == "prompts" else self.spec(kind, base_and_size(name)[0])
