"""Inputs of the stage validity, and of training sets that leave out what test sets hold too."""

from collections.abc import Iterable

from synthrank.development import answerable_testsets
from synthrank.distillation import made
from synthrank.draws import request_folder
from synthrank.needs.base import Paths, StageNeeds, Wildcards
from synthrank.needs.queries import exemplars_of
from synthrank.specs.base import NONE
from synthrank.specs.experiment import Validity
from synthrank.specs.leaks import LeakTests
from synthrank.specs.paradigms import HumanParadigm, QueriedParadigm
from synthrank.specs.recipes import DroppedLeaks, Sized


class ValidityNeeds(StageNeeds):
    """What is measured of training sets, and what they are compared with."""

    def validity(self, wildcards: Wildcards) -> Validity:
        """Return what the experiment measures of training sets."""
        return self.study.validity

    def measured(self, wildcards: Wildcards) -> str:
        """Return the file of a training set, or of a paradigm's written passages."""
        kind = wildcards.data.split("/")[0]
        return f"results/{wildcards.data}/{'groups' if kind == 'trainsets' else 'passages'}.jsonl"

    def measured_reference(self, wildcards: Wildcards) -> list[str]:
        """Return the human training set whose passages a training set's are cut as short as, where one can be.

        It is that of the first recipe of human passages alone, if that is another one and of the same corpus, so that
        queries are the same.
        """
        kind, name, *_, draw = wildcards.data.split("/")
        reference, recipes = self.study.reference_recipe, self.study.entities["recipes"]
        if kind != "trainsets" or reference in (None, name) or recipes[reference].corpus != recipes[name].corpus:
            return []
        folder = self.draws.trainset_folder(reference, NONE, draw.removeprefix("draw-"))
        return [f"{folder}/groups.jsonl"]

    def measuring_retriever(self, wildcards: Wildcards) -> str:
        """Return the entity file of the retriever whose model gives vectors for diversity."""
        return self.spec("retrievers", self.study.validity.retriever)

    def measuring_model(self, wildcards: Wildcards) -> str:
        """Return the folder of that model."""
        return self._model(self.study.validity.retriever)

    def leak_exemplars(self, wildcards: Wildcards) -> list[str]:
        """Return the exemplars of prompts for the passages, or the queries, of a training set or of a paradigm."""
        kind, *names = wildcards.data.split("/")
        draw = next(name for name in names if name.startswith("draw-")).removeprefix("draw-")
        corpus, paradigms = self._written_for(names[0]) if kind == "trainsets" else (names[0], [names[1]])
        found: list[str] = []
        for name in paradigms:
            spec = self.study.entities["paradigms"][name]
            if isinstance(spec, QueriedParadigm):
                found += exemplars_of(self.study, corpus, spec.augmentation)
            elif getattr(spec, "exemplars", None):
                found.append(f"{request_folder(corpus, name, self.draws.of_passages(name, draw))}/exemplars.jsonl")
        return found

    def _written_for(self, recipe: str) -> tuple[str, list[str]]:
        """Return the corpus of a recipe and its paradigms, each once; none for a recipe of another kind."""
        spec = self.study.entities["recipes"][recipe]
        return spec.corpus, list(dict.fromkeys(spec.paradigms)) if isinstance(spec, Sized) else []

    def leak_tests(self, wildcards: Wildcards) -> str:
        """Return what counts as a leak, as JSON."""
        return self.study.validity.leaks.model_dump_json()

    def leak_testsets(self, wildcards: Wildcards) -> list[str]:
        """Return every test set of the experiment, each once."""
        experiment = self.study.experiment
        suites = [*experiment.suites, *(experiment.bias.suites if experiment.bias else ())]
        return list(self.study.testsets_of(*suites))

    def answered_testsets(self, wildcards: Wildcards) -> list[str]:
        """Return the test sets that passages of a training set may answer, as its corpus or another reads them."""
        return answerable_testsets(self.study, wildcards.data.split("/")[1])

    def answered_files(self, file: str) -> Paths:
        """Return a file of each of :meth:`answered_testsets`."""
        return lambda wildcards: self._of_names(self.answered_testsets(wildcards), file)

    def leak_files(self, file: str) -> Paths:
        """Return a file of each of :meth:`leak_testsets`."""
        return lambda wildcards: self._of_names(self.leak_testsets(wildcards), file)

    def leak_retriever(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the retriever that finds near duplicates, where they are looked for."""
        return self._retriever(self.study.validity.leaks)

    def leak_model(self, wildcards: Wildcards) -> list[str]:
        """Return the folder of that retriever's model."""
        return self._models(self.study.validity.leaks)

    def validity_files(self, file: str) -> Paths:
        """Return what was measured of every training set of the experiment, those of human passages alone first."""
        return lambda wildcards: [f"{folder}/{file}" for folder in self._measured_trainsets()]

    def _measured_trainsets(self) -> list[str]:
        experiment, _ = self.study.experiment, self.study.validity  # which refuses an experiment that measures nothing
        systems = made(self.study, experiment.recipes, experiment.llms)
        systems.sort(key=lambda system: not self._is_human(system[0]))
        return [self.draws.measured_folder(recipe, llm) for recipe, llm in systems]

    def _is_human(self, recipe: str) -> bool:
        """Tell whether people wrote all positives of a recipe."""
        spec, paradigms = self.study.entities["recipes"][recipe], self.study.entities["paradigms"]
        return isinstance(spec, Sized) and all(isinstance(paradigms[name], HumanParadigm) for name in spec.paradigms)

    # Training sets without leaks: nothing to read where the recipe drops none.

    def dropped_files(self, file: str) -> Paths:
        """Return a file of each test set that a recipe's training data must not hold."""

        def files(wildcards: Wildcards) -> list[str]:
            dropped = self._dropped(wildcards)
            return self._of_names(dropped.testsets, file) if dropped else []

        return files

    def dropped_retriever(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the retriever that finds near duplicates, where they are left out."""
        return self._retriever(self._dropped(wildcards))

    def dropped_model(self, wildcards: Wildcards) -> list[str]:
        """Return the folder of that retriever's model."""
        return self._models(self._dropped(wildcards))

    def _dropped(self, wildcards: Wildcards) -> DroppedLeaks | None:
        dropped: DroppedLeaks | None = self.study.entities["recipes"][wildcards.recipe].drop_leaks
        return dropped

    def _of_names(self, testsets: Iterable[str], file: str) -> list[str]:
        return self.of_testsets((self.study.entities["testsets"][name] for name in testsets), file)

    def _retriever(self, tests: LeakTests | None) -> list[str]:
        return [self.spec("retrievers", tests.retriever)] if tests and tests.retriever else []

    def _models(self, tests: LeakTests | None) -> list[str]:
        return [self._model(tests.retriever)] if tests and tests.retriever else []

    def _model(self, retriever: str) -> str:
        return f"results/models/{self.study.entities['retrievers'][retriever].model}"
