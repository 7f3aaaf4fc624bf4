"""Inputs of the stage validity, and of training sets that exclude overlap with test sets."""

from synthrank.config.consistency.splits import answerable_testsets
from synthrank.config.distillation import pair_recipes_with_llms
from synthrank.config.experiment import Validity
from synthrank.config.paradigms import HumanParadigm, QueriedParadigm
from synthrank.config.recipes import Sized
from synthrank.data.paths import PASSAGES, REQUESTS, TRAINSET
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards, exemplars_of


class ValidityInputs(StageInputs):
    """Inputs of statistics of training sets and of the search for overlap with test sets."""

    def settings(self, wildcards: Wildcards) -> Validity:
        """Return the experiment's section on validity."""
        return self.study.validity

    def data(self, wildcards: Wildcards) -> str:
        """Return the file of a training set, or of a paradigm's generated passages."""
        return f"results/{wildcards.data}/{'groups' if TRAINSET.fits(wildcards.data) else 'passages'}.jsonl"

    def reference(self, wildcards: Wildcards) -> list[Row]:
        """Return the human training set whose lengths are matched by cutting passages, if there is one.

        It belongs to the first recipe with only human passages, which must be another recipe of the same corpus. Then
        the queries are the same.
        """
        reference, recipes = self.study.reference_recipe, self.study.entities["recipes"]
        if reference is None or not TRAINSET.fits(wildcards.data):
            return []
        names = TRAINSET.names(wildcards.data)
        if reference == names["recipe"] or recipes[reference].corpus != recipes[names["recipe"]].corpus:
            return []
        return [{"recipe": reference, "draw": self.draws.of_trainset(reference, names["draw"])}]

    def exemplars(self, wildcards: Wildcards) -> list[str]:
        """Return the exemplars in prompts for the passages or queries of a training set or of a paradigm."""
        if TRAINSET.fits(wildcards.data):
            names = TRAINSET.names(wildcards.data)
            corpus, paradigms = self._written_for(names["recipe"])
        else:
            names = PASSAGES.names(wildcards.data)
            corpus, paradigms = names["corpus"], [names["paradigm"]]
        found: list[str] = []
        for name in paradigms:
            spec = self.study.entities["paradigms"][name]
            if isinstance(spec, QueriedParadigm):
                found += exemplars_of(self.study, corpus, spec.augmentation)
            elif getattr(spec, "exemplars", None):
                draw = self.draws.of_passages(name, names["draw"])
                found.append(f"results/{REQUESTS(corpus=corpus, paradigm=name, draw=draw)}/exemplars.jsonl")
        return found

    def _written_for(self, recipe: str) -> tuple[str, list[str]]:
        """Return the corpus of a recipe and its paradigms, each once. Recipes of other kinds have no paradigms."""
        spec = self.study.entities["recipes"][recipe]
        return spec.corpus, list(dict.fromkeys(spec.paradigms)) if isinstance(spec, Sized) else []

    def leak_tests(self, wildcards: Wildcards) -> str:
        """Return the tests for overlap as JSON."""
        return self.study.validity.leaks.model_dump_json()

    def testsets(self, wildcards: Wildcards) -> list[str]:
        """Return every test set of the experiment, each once."""
        experiment = self.study.experiment
        suites = [*experiment.suites, *(experiment.bias.suites if experiment.bias else ())]
        return list(self.study.testsets_of(*suites))

    def answerable(self, wildcards: Wildcards) -> list[str]:
        """Return the test sets to whose queries passages of a training set may be relevant."""
        return answerable_testsets(self.study, TRAINSET.names(wildcards.data)["recipe"])

    def words(self, wildcards: Wildcards) -> int:
        """Return the number of words of a text that are encoded, or 0 for as many as the model reads."""
        return self.study.validity.leaks.words or 0

    def trainsets(self, wildcards: Wildcards) -> list[Row]:
        """Return every measured training set of the experiment, starting with sets of only human passages."""
        experiment, _ = (
            self.study.experiment,
            self.study.validity,
        )  # raises an error if the experiment has no section on validity
        systems = pair_recipes_with_llms(self.study, experiment.recipes, experiment.llms)
        return self.measured(sorted(systems, key=lambda system: not self._is_human(system[0])))

    def _is_human(self, recipe: str) -> bool:
        """Return whether all positives of a recipe are human passages."""
        spec, paradigms = self.study.entities["recipes"][recipe], self.study.entities["paradigms"]
        return isinstance(spec, Sized) and all(isinstance(paradigms[name], HumanParadigm) for name in spec.paradigms)
