"""Which rules make what an experiment asks for, and which of them read what others made.

Snakemake draws the same with ``--rulegraph``; a job cannot ask for that, for it sees no other job. So the files are
followed here as Snakemake follows them, from what is asked for to what is read, by the rules' own input functions.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Rule(Protocol):
    """What is asked of a rule of Snakemake's."""

    name: str
    docstring: str | None
    output: Iterable[str]

    def is_producer(self, requested_output: str) -> bool:
        """Tell whether a file is its output."""
        ...

    def get_wildcards(self, requested_output: str) -> dict[str, str]:
        """Return the wildcards of the job that makes a file."""
        ...

    def expand_input(self, wildcards: dict[str, str]) -> Any:
        """Return the files that a job reads, before other things."""
        ...


class Workflow(Protocol):
    """Snakemake's workflow; its rules are all there when a job is made, not while a rule file is read."""

    rules: Iterable[Rule]


def graph_param(workflow: Workflow, *parts: str) -> Callable[[Any, Any], str]:
    """Return a param: the rules behind the named parts of a rule's input, as :func:`rule_graph` has them."""

    def of_job(wildcards: Any, input: Any) -> str:
        return rule_graph(workflow.rules, [path for part in parts for path in getattr(input, part)])

    return of_job


def rule_graph(rules: Iterable[Rule], targets: Iterable[str]) -> str:
    """Return, as JSON, the rules that make files and all that those are made of.

    Args:
        rules: those of the workflow.
        targets: the files.

    Returns:
        ``rules``: name, stage and purpose of each; ``edges``: the name of a rule, and of one that reads what it makes.
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
    rows = [[name, _stage(rule), (rule.docstring or "").strip()] for name, rule in sorted(found.items())]
    return json.dumps({"rules": rows, "edges": sorted(edges)})


def _stage(rule: Rule) -> str:
    return str(next(iter(rule.output))).split("/")[1]
