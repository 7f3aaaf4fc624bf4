"""Reading a reply as what its paradigm asks for: one passage, or one of each level of relevance."""

from dataclasses import dataclass

from synthrank.reading.graded import REASONS, read_graded
from synthrank.reading.passage import REASONS as PASSAGE_REASONS
from synthrank.reading.passage import read_passage
from synthrank.records import Reply
from synthrank.specs.paradigms import Asked, GradedParadigm


@dataclass(frozen=True, slots=True)
class Written:
    """The passages of a reply with their grades, best first; ``reason`` says why there are none.

    ``missing`` holds the levels that are not there; ``repaired`` lists what was cut.
    """

    passages: tuple[tuple[int, str], ...]
    reason: str = ""
    missing: tuple[int, ...] = ()
    repaired: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The passages as they are compared: in lower case."""
        return tuple(text.lower() for _, text in self.passages)


def read_written(reply: Reply, spec: Asked) -> Written:
    """Return the passages of a reply under its paradigm, each of grade 1 where it asks for no levels."""
    if isinstance(spec, GradedParadigm):
        graded = read_graded(reply, spec.levels, spec.quality)
        return Written(graded.passages, graded.reason, graded.missing, graded.repaired)
    one = read_passage(reply, spec.quality)
    return Written(() if one.reason else ((1, one.text),), one.reason, (), one.repaired)


def replies_wanted(spec: Asked) -> int:
    """Return how many usable replies a query needs: one a passage, or one with all levels."""
    return 1 if isinstance(spec, GradedParadigm) else spec.passages


def reasons_of(spec: Asked) -> tuple[str, ...]:
    """Return why a reply under a paradigm may be dropped."""
    return REASONS if isinstance(spec, GradedParadigm) else PASSAGE_REASONS
