"""Which file is made from which, where that depends on what an entity file says.

Rules use the methods of :class:`Needs` as input functions: a method takes the job's wildcards and returns paths. What
does not depend on an entity's content stands as a literal path in its rule. One module a stage.
"""

from synthrank.needs.checkpoints import CheckpointNeeds
from synthrank.needs.corpora import CorpusNeeds
from synthrank.needs.figures import FigureNeeds
from synthrank.needs.llms import LlmNeeds
from synthrank.needs.metrics import MetricNeeds
from synthrank.needs.models import ModelNeeds
from synthrank.needs.notes import NoteNeeds
from synthrank.needs.queries import QueryNeeds
from synthrank.needs.rankings import RankingNeeds
from synthrank.needs.releases import ReleaseNeeds
from synthrank.needs.report import ReportNeeds
from synthrank.needs.runs import RunNeeds
from synthrank.needs.trainsets import TrainsetNeeds
from synthrank.needs.validity import ValidityNeeds

__all__ = ["Needs"]


class Needs(
    CorpusNeeds,
    ModelNeeds,
    LlmNeeds,
    QueryNeeds,
    RunNeeds,
    RankingNeeds,
    TrainsetNeeds,
    ValidityNeeds,
    CheckpointNeeds,
    MetricNeeds,
    NoteNeeds,
    FigureNeeds,
    ReleaseNeeds,
    ReportNeeds,
):
    """The inputs of every rule that an entity file decides."""
