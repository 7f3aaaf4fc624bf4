"""Requests to language models and their cost, planned before any request is sent.

``python scripts/plan.py --config config/paper.yaml`` reads only files under config/, unless the workflow has already
written requests for passages. These requests are counted and looked up in the store.
"""

from collections.abc import Iterator
from pathlib import Path

from synthrank.config.study import Study
from synthrank.workflow.plan.llm_cost import Line
from synthrank.workflow.plan.passages import passage_lines
from synthrank.workflow.plan.queries import query_lines
from synthrank.workflow.plan.rankings import ranking_lines
from synthrank.workflow.plan.text import format_plan

__all__ = ["Line", "format_plan", "plan"]


def plan(study: Study, results: Path, store: Path) -> Iterator[Line]:
    """Yield one line per task of the experiment for language models and per LLM.

    Args:
        study: the study.
        results: the folder of results, which may contain requests.
        store: the folder of the reply store.
    """
    yield from passage_lines(study, results, store)
    yield from query_lines(study)
    if study.experiment.twolar:
        yield from ranking_lines(study)
