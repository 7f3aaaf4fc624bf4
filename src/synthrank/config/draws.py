"""Map training seeds to draws of training data.

Draw 0 is the fixed sample of an entity's own seed. Draw s is the sample of training seed s, from
:func:`synthrank.data.sampling.draw_seed`. The experiment's key ``vary`` lists the parts that differ between draws.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from synthrank.config.experiment import VariedPart
from synthrank.config.paradigms import AskedParadigm
from synthrank.config.recipes import Sized, base_and_size
from synthrank.config.study import Study


class Draws:
    """The draws of a study's passages and training sets."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def of_part(self, part: VariedPart, draw: int | str) -> int:
        """Return the draw of a part of the data, 0 if ``vary`` does not list the part."""
        return int(draw) if part in self._study.experiment.vary else 0

    def of_passages(self, paradigm: str, seed: int | str) -> int:
        """Return the draw of a paradigm's passages for a training seed, 0 if all seeds share it."""
        spec = self._study.entities["paradigms"][paradigm]
        if not isinstance(spec, AskedParadigm):
            return 0
        shown = self.of_part("exemplars", seed) if getattr(spec, "exemplars", None) else 0
        return shown or self.of_part("generation", seed)

    def of_trainset(self, recipe: str, seed: int | str) -> int:
        """Return the draw of a recipe's training set for a training seed, 0 if all seeds share it."""
        spec = self._study.entities["recipes"][base_and_size(recipe)[0]]
        if not isinstance(spec, Sized):
            return 0
        negatives = self.of_part("negatives", seed) if spec.negatives else 0
        passages = (self.of_passages(paradigm, seed) for paradigm in spec.paradigms)
        return self.of_part("queries", seed) or negatives or max(passages)

    def of_training(self, seed: int | str) -> int:
        """Return the seed of the trainer. If ``vary`` does not list training, it is the experiment's first seed."""
        experiment = self._study.experiment
        return int(seed) if "training" in experiment.vary else experiment.seeds[0]

    def passages(self, paradigm: str) -> list[int]:
        """Return the draws of a paradigm's passages for all seeds of the experiment, each once."""
        return list(dict.fromkeys(self.of_passages(paradigm, seed) for seed in self._study.experiment.seeds))

    def parts(self, recipes: Iterable[str]) -> list[VariedPart]:
        """Return the parts of a training on any of these recipes that ``vary`` may list."""
        specs = [self._study.entities["recipes"][base_and_size(name)[0]] for name in recipes]
        sized = [spec for spec in specs if isinstance(spec, Sized)]
        paradigms = [self._study.entities["paradigms"][name] for spec in sized for name in spec.paradigms]
        found: dict[VariedPart, bool] = {
            "queries": bool(sized),
            "negatives": any(spec.negatives for spec in sized),
            "exemplars": any(getattr(spec, "exemplars", None) for spec in paradigms),
            "generation": any(isinstance(spec, AskedParadigm) for spec in paradigms),
            "training": True,
        }
        return [part for part, is_there in found.items() if is_there]

    def what_seeds_move(self, recipes: Iterable[str]) -> str:
        """Return a sentence on the populations that p-values and intervals generalize to, for trainings on recipes."""
        experiment, parts = self._study.experiment, self.parts(recipes)
        moved = [_WORDS[part] for part in parts if part in experiment.vary]
        fixed = [_WORDS[part] for part in parts if part not in experiment.vary]
        if len(experiment.seeds) == 1 or not moved:
            seeds = (
                f"One training seed, {experiment.seeds[0]}"
                if len(experiment.seeds) == 1
                else "All seeds give the same training"
            )
            other = _join([_WORDS[part] for part in parts], "or")
            return f"{seeds}: p and intervals cover other test queries, but not other {other}."
        differ = f"Seeds {_join(list(map(str, experiment.seeds)), 'and')} differ in {_join(moved, 'and')}"
        shared = f", and share {_join(fixed, 'and')}" if fixed else ""
        others = f"other test queries and other {_join(moved, 'and')}"
        not_covered = f", but not other {_join(fixed, 'or')}" if fixed else ""
        return f"{differ}{shared}: tests over seeds cover {others}{not_covered}."


_WORDS: Mapping[VariedPart, str] = MappingProxyType(
    {
        "queries": "training queries",
        "negatives": "negatives",
        "exemplars": "exemplars",
        "generation": "samples of the LLM",
        "training": "training runs",
    }
)


def _join(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
