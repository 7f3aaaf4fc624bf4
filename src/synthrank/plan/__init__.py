"""What an experiment will ask of language models, and what that costs, before anything is asked.

``python -m synthrank.plan --config config/paper.yaml`` reads entity files only; where the workflow has already written
the requests for passages, they are counted as they are and looked up in the store.
"""

from collections.abc import Iterator
from pathlib import Path

from synthrank.plan.line import Line
from synthrank.plan.passages import passage_lines
from synthrank.plan.queries import query_lines
from synthrank.plan.rankings import ranking_lines
from synthrank.plan.text import as_text
from synthrank.study import Study

__all__ = ["Line", "as_text", "plan"]


def plan(study: Study, results: Path, store: Path) -> Iterator[Line]:
    """Yield one line for each thing that language models do for the experiment, and each LLM that does it.

    Args:
        study: the study.
        results: the folder of results, where requests may have been written.
        store: the folder of the reply store.
    """
    yield from passage_lines(study, results, store)
    yield from query_lines(study)
    if study.experiment.twolar:
        yield from ranking_lines(study)
