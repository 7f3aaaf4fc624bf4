"""Inputs, settings and resources of jobs that depend on the files under config/.

Rules state their paths as literals, as templates over fields of entities, or as templates over rows that a method of
this package returns. Methods take a job's wildcards. Snakemake calls them when it plans the job.
"""

from synthrank.config.study import Study
from synthrank.workflow.inputs.checkpoints import CheckpointInputs
from synthrank.workflow.inputs.corpora import CorpusInputs
from synthrank.workflow.inputs.figures import FigureInputs
from synthrank.workflow.inputs.llms import LlmInputs
from synthrank.workflow.inputs.metrics import MetricInputs
from synthrank.workflow.inputs.models import ModelInputs
from synthrank.workflow.inputs.notes import NoteInputs
from synthrank.workflow.inputs.releases import ReleaseInputs
from synthrank.workflow.inputs.report import ReportInputs
from synthrank.workflow.inputs.runs import RunInputs
from synthrank.workflow.inputs.trainsets import TrainsetInputs
from synthrank.workflow.inputs.validity import ValidityInputs

__all__ = ["Inputs"]


class Inputs:
    """Input functions per stage, and for jobs that call a language model."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.checkpoints = CheckpointInputs(study)
        self.corpora = CorpusInputs(study)
        self.figures = FigureInputs(study)
        self.llms = LlmInputs(study)
        self.metrics = MetricInputs(study)
        self.models = ModelInputs(study)
        self.releases = ReleaseInputs(study)
        self.report = ReportInputs(study)
        self.runs = RunInputs(study)
        self.tables = NoteInputs(study)
        self.trainsets = TrainsetInputs(study)
        self.validity = ValidityInputs(study)
