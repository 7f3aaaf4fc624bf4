"""Which draw of its data a training seed has: the one place that decides it.

Draw 0 is the fixed sample that an entity's own seed chooses; draw s is the sample of training seed s, by
:func:`synthrank.order.drawn`. What of it differs is stated by ``vary`` of the experiment.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from synthrank.specs.experiment import Part
from synthrank.specs.paradigms import Asked
from synthrank.specs.recipes import Sized, base_and_size
from synthrank.study import Study


class Draws:
    """The draws of a study's passages and training sets."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def of_part(self, part: Part, draw: int | str) -> int:
        """Return the draw that a step takes for a part of the data: 0 where seeds do not move this part."""
        return int(draw) if part in self._study.experiment.vary else 0

    def of_passages(self, paradigm: str, seed: int | str) -> int:
        """Return the draw of a paradigm's passages that a training seed trains on; 0 where all seeds share one."""
        spec = self._study.entities["paradigms"][paradigm]
        if not isinstance(spec, Asked):
            return 0
        shown = self.of_part("exemplars", seed) if getattr(spec, "exemplars", None) else 0
        return shown or self.of_part("generation", seed)

    def of_trainset(self, recipe: str, seed: int | str) -> int:
        """Return the draw of a recipe's training set that a training seed trains on; 0 where all seeds share one."""
        spec = self._study.entities["recipes"][base_and_size(recipe)[0]]
        if not isinstance(spec, Sized):
            return 0
        negatives = self.of_part("negatives", seed) if spec.negatives else 0
        written = (self.of_passages(paradigm, seed) for paradigm in spec.paradigms)
        return self.of_part("queries", seed) or negatives or max(written)

    def of_training(self, seed: int | str) -> int:
        """Return the seed of the trainer: the first of the experiment for all where seeds do not move training."""
        experiment = self._study.experiment
        return int(seed) if "training" in experiment.vary else experiment.seeds[0]

    def passages(self, paradigm: str) -> list[int]:
        """Return the draws of a paradigm's passages that the experiment's seeds train on, each once."""
        return list(dict.fromkeys(self.of_passages(paradigm, seed) for seed in self._study.experiment.seeds))

    def passage_folder(self, corpus: str, paradigm: str, llm: str, draw: int | str) -> str:
        """Return the folder of the passages of one draw."""
        return f"{request_folder(corpus, paradigm, draw)}/{llm}"

    def trainset_folder(self, recipe: str, llm: str, seed: int | str) -> str:
        """Return the folder of the training set that a training seed trains on."""
        return f"results/trainsets/{recipe}/{llm}/draw-{self.of_trainset(recipe, seed)}"

    def measured_folder(self, recipe: str, llm: str) -> str:
        """Return where what is measured of a training set lies; of several draws the first seed's is measured."""
        trainset = self.trainset_folder(recipe, llm, self._study.experiment.seeds[0])
        return trainset.replace("results/", "results/validity/", 1)

    def parts(self, recipes: Iterable[str]) -> list[Part]:
        """Return the parts that a training on any of these recipes has, and that seeds could move."""
        specs = [self._study.entities["recipes"][base_and_size(name)[0]] for name in recipes]
        sized = [spec for spec in specs if isinstance(spec, Sized)]
        paradigms = [self._study.entities["paradigms"][name] for spec in sized for name in spec.paradigms]
        found: dict[Part, bool] = {
            "queries": bool(sized),
            "negatives": any(spec.negatives for spec in sized),
            "exemplars": any(getattr(spec, "exemplars", None) for spec in paradigms),
            "generation": any(isinstance(spec, Asked) for spec in paradigms),
            "training": True,
        }
        return [part for part, is_there in found.items() if is_there]

    def what_seeds_move(self, recipes: Iterable[str]) -> str:
        """Return what statements about chance on trainings on these recipes speak of, and what not, in words."""
        experiment, parts = self._study.experiment, self.parts(recipes)
        moved = [_WORDS[part] for part in parts if part in experiment.vary]
        fixed = [_WORDS[part] for part in parts if part not in experiment.vary]
        if len(experiment.seeds) == 1 or not moved:
            seeds = f"One training seed, {experiment.seeds[0]}" if len(experiment.seeds) == 1 else "Seeds move nothing"
            other = _joined([_WORDS[part] for part in parts], "or")
            return f"{seeds}: p and intervals speak of other test queries alone, not of other {other}."
        differ = f"Seeds {_joined(list(map(str, experiment.seeds)), 'and')} differ in {_joined(moved, 'and')}"
        shared = f", and share {_joined(fixed, 'and')}" if fixed else ""
        others = f"other test queries and of other {_joined(moved, 'and')}"
        not_of = f", not of other {_joined(fixed, 'or')}" if fixed else ""
        return f"{differ}{shared}: where seeds count, p and intervals speak of {others}{not_of}."


_WORDS: Mapping[Part, str] = MappingProxyType(
    {
        "queries": "training queries",
        "negatives": "negatives",
        "exemplars": "exemplars",
        "generation": "samples of the LLM",
        "training": "training runs",
    }
)


def _joined(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def request_folder(corpus: str, paradigm: str, draw: int | str) -> str:
    """Return the folder of the requests of one draw."""
    return f"results/passages/{corpus}/{paradigm}/draw-{draw}"
