"""The graph of the rules that make the files of an experiment.

``snakemake --rulegraph`` draws the same graph, but is not available inside a job. This module follows the files as
Snakemake does: from the targets to the inputs of the rules that make them, with the rules' own input functions.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol


class Rule(Protocol):
    """The attributes of a Snakemake rule that are used here."""

    name: str
    docstring: str | None
    snakefile: str

    def is_producer(self, requested_output: str) -> bool:
        """Return whether the rule makes a file."""
        ...

    def get_wildcards(self, requested_output: str) -> dict[str, str]:
        """Return the wildcards of the job that makes a file."""
        ...

    def expand_input(self, wildcards: dict[str, str]) -> Any:
        """Return the input files of a job as the first item."""
        ...


class Workflow(Protocol):
    """Snakemake's workflow. Its rules are complete when a job is created, but not while rule files are read."""

    rules: Iterable[Rule]


def graph_param(workflow: Workflow, *parts: str) -> Callable[[Any, Any], str]:
    """Return a param function that gives :func:`rule_graph` of the named inputs of a rule."""

    def of_job(wildcards: Any, input: Any) -> str:
        return rule_graph(workflow.rules, [path for part in parts for path in getattr(input, part)])

    return of_job


def rule_graph(rules: Iterable[Rule], targets: Iterable[str]) -> str:
    """Return, as JSON, the rules that make files, directly or indirectly.

    Args:
        rules: the rules of the workflow.
        targets: the files.

    Returns:
        An object with ``rules`` (name, stage and docstring of each) and ``edges`` (pairs of a rule's name and the name
        of a rule that reads its output).
    """
    known = list(rules)
    waiting = [(str(path), "") for path in targets]
    jobs: set[tuple[str, str]] = set()
    made_by: dict[str, Rule | None] = {}
    found: dict[str, Rule] = {}
    edges: dict[tuple[str, str], None] = {}
    while waiting:
        path, reader = waiting.pop()
        if path not in made_by:
            made_by[path] = next((rule for rule in known if rule.is_producer(path)), None)
        rule = made_by[path]
        if rule is None:
            continue
        found[rule.name] = rule
        if reader:
            edges[rule.name, reader] = None
        wildcards = rule.get_wildcards(path)
        job = (rule.name, json.dumps(wildcards, sort_keys=True))
        if job not in jobs:
            jobs.add(job)
            waiting.extend((str(item), rule.name) for item in rule.expand_input(wildcards)[0])
    rows = [[name, Path(rule.snakefile).stem, (rule.docstring or "").strip()] for name, rule in sorted(found.items())]
    return json.dumps({"rules": rows, "edges": sorted(edges)})
