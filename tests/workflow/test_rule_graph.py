"""The graph of the rules that make a file."""

import json
import re

from synthrank.workflow.rule_graph import rule_graph


class Rule:
    """A rule in the file of a stage, with one output that may contain the wildcard ``{n}``."""

    def __init__(self, name, stage, output, inputs=()):
        self.snakefile = f"/project/rules/{stage}.smk"
        self.name, self.docstring, self.inputs = name, f"\n    Make {name}.\n", inputs
        self.pattern = re.compile(re.escape(output).replace(r"\{n\}", r"(?P<n>\w+)") + "$")
        self.asked = []

    def is_producer(self, path):
        return bool(self.pattern.match(path))

    def get_wildcards(self, path):
        return self.pattern.match(path).groupdict()

    def expand_input(self, wildcards):
        self.asked.append(wildcards)
        return [item.format(**wildcards) for item in self.inputs], "other"


def test_rule_graph_returns_every_rule_once():
    corpus = Rule("build", "corpora", "results/corpora/{n}.jsonl", ["data/{n}.txt"])
    run = Rule("search", "runs", "results/runs/{n}.trec", ["results/corpora/{n}.jsonl"])
    inputs = ["results/runs/a.trec", "results/runs/b.trec", "results/corpora/a.jsonl"]
    table = Rule("count", "tables", "results/mine/tables/all.csv", inputs)
    rules = [corpus, run, table, Rule("other", "tables", "results/tables/other.csv", ["results/runs/a.trec"])]
    found = json.loads(rule_graph(rules, ["results/mine/tables/all.csv"]))
    assert found["rules"] == [
        ["build", "corpora", "Make build."],
        ["count", "tables", "Make count."],
        ["search", "runs", "Make search."],
    ]
    assert found["edges"] == [["build", "count"], ["build", "search"], ["search", "count"]]
    assert [len(rule.asked) for rule in rules] == [2, 2, 1, 0], "the inputs of each job are read once"


def test_rule_graph_of_a_rule_that_reads_its_own_output():
    train = Rule("train", "checkpoints", "results/checkpoints/{n}", ["results/checkpoints/base"])
    train.expand_input = lambda wildcards: ([] if wildcards["n"] == "base" else ["results/checkpoints/base"], "other")
    assert json.loads(rule_graph([train], ["results/checkpoints/a"]))["edges"] == [["train", "train"]]
