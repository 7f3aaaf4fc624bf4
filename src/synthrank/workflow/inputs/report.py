"""Inputs of the stage report."""

from collections.abc import Iterator
from dataclasses import asdict

from synthrank.config.base import NONE, references
from synthrank.config.distillation import Ranked, pair_recipes_with_llms, rankings, written_passages, written_queries
from synthrank.config.recipes import Sized, base_and_size
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards

WITHOUT_MARKDOWN = ("cost", "replies", "rankings")
"""Tables without a Markdown copy."""


class ReportInputs(StageInputs):
    """Inputs of the page of an experiment, for the sections that the experiment has."""

    def tables(self, wildcards: Wildcards) -> list[Row]:
        """Return the tables of the experiment in the order of the page; ``markdown`` is the Markdown copy, if any."""
        return [{"table": name} | ({} if name in WITHOUT_MARKDOWN else {"markdown": name}) for name in self._tables()]

    def figures(self, wildcards: Wildcards) -> list[Row]:
        """Return the figures of the experiment."""
        experiment = self.study.experiment
        stated = {
            "effectiveness": True,
            "differences": self.study.reference_recipe is not None,
            "cost": bool(self.study.generated()),
            "claims": experiment.claims is not None,
            "enrichment": experiment.enrichment is not None,
            "sizes": experiment.sizes is not None,
            "passages": experiment.validity is not None,
        }
        return [{"figure": name} for name, is_stated in stated.items() if is_stated]

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
            ("cost", "replies"): bool(written_passages(self.study) or written_queries(self.study)),
            ("rankings",): twolar is not None and bool(rankings(self.study)),
            ("validity", "leaks"): experiment.validity is not None,
        }
        return [name for names, is_stated in stated.items() if is_stated for name in names]

    def passages(self, wildcards: Wildcards) -> list[Row]:
        """Return the passages of every paradigm of the passage study, human passages included, per LLM.

        If there are several draws, the page shows the draw of the first seed.
        """
        recipes = [self.study.entities["recipes"][name] for name in self.study.recipes]
        pairs = [(item.corpus, name) for item in recipes if isinstance(item, Sized) for name in item.paradigms]
        first = self.study.experiment.seeds[0]
        return [
            {"corpus": corpus, "paradigm": name, "draw": self.draws.of_passages(name, first), "llm": llm}
            for corpus, name in dict.fromkeys(pairs)
            for llm in (self.study.experiment.llms if self.study.writes(name) else (NONE,))
        ]

    def asked(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of :meth:`passages` that a language model generated."""
        return [row for row in self.passages(wildcards) if row["llm"] != NONE]

    def corpora(self, wildcards: Wildcards) -> list[Row]:
        """Return the corpora of all test sets and of all rankings by language models."""
        tested = self.study.testsets_of(*self.study.experiment.suites)
        corpora = [item.corpus for item in tested.values()] + [item.corpus for item in self._ordered()]
        return [{"corpus": corpus} for corpus in dict.fromkeys(corpora)]

    def systems(self, wildcards: Wildcards) -> list[Row]:
        """Return every ranker, untrained and trained with the first seed, on every test set."""
        experiment = self.study.experiment
        return [
            {"testset": testset, "recipe": recipe, "llm": llm, "ranker": ranker, "seed": experiment.seeds[0]}
            for testset in self.study.testsets_of(*experiment.suites)
            for recipe, llm in [(NONE, NONE), *pair_recipes_with_llms(self.study, experiment.recipes, experiment.llms)]
            for ranker in experiment.rankers
        ]

    def rankings(self, wildcards: Wildcards) -> list[Row]:
        """Return the rankings by language models for the distillation study, if any."""
        return [asdict(item) for item in self._ordered()]

    def _ordered(self) -> list[Ranked]:
        return rankings(self.study) if self.study.experiment.twolar else []

    def specs(self, wildcards: Wildcards) -> list[str]:
        """Return every file under config/ that the experiment names directly or indirectly, each once."""
        return sorted({self._file(kind, name) for kind, name in self._named()})

    def _named(self) -> Iterator[tuple[str, str]]:
        """Yield the kind and name of every entity that the experiment refers to."""
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
