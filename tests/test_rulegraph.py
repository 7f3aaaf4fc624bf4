"""The rules behind a file, and who reads what whom made."""

import json
import re

from synthrank.rulegraph import rule_graph


class Rule:
    """A rule with one output, ``{n}`` being its wildcard."""

    def __init__(self, name, output, inputs=()):
        self.name, self.docstring, self.output, self.inputs = name, f"\n    Make {name}.\n", [output], inputs
        self.pattern = re.compile(re.escape(output).replace(r"\{n\}", r"(?P<n>\w+)") + "$")
        self.asked = []

    def is_producer(self, path):
        return bool(self.pattern.match(path))

    def get_wildcards(self, path):
        return self.pattern.match(path).groupdict()

    def expand_input(self, wildcards):
        self.asked.append(wildcards)
        return [item.format(**wildcards) for item in self.inputs], "other"


def test_every_rule_behind_the_targets_is_found_once():
    corpus = Rule("build", "results/corpora/{n}.jsonl", ["data/{n}.txt"])
    run = Rule("search", "results/runs/{n}.trec", ["results/corpora/{n}.jsonl"])
    table = Rule(
        "count", "results/tables/all.csv", ["results/runs/a.trec", "results/runs/b.trec", "results/corpora/a.jsonl"]
    )
    rules = [corpus, run, table, Rule("other", "results/tables/other.csv", ["results/runs/a.trec"])]
    found = json.loads(rule_graph(rules, ["results/tables/all.csv"]))
    assert found["rules"] == [
        ["build", "corpora", "Make build."],
        ["count", "tables", "Make count."],
        ["search", "runs", "Make search."],
    ]
    assert found["edges"] == [["build", "count"], ["build", "search"], ["search", "count"]]
    assert [len(rule.asked) for rule in rules] == [2, 2, 1, 0], "a job is asked once"


def test_a_rule_may_read_what_it_makes_itself():
    train = Rule("train", "results/checkpoints/{n}", ["results/checkpoints/base"])
    train.expand_input = lambda wildcards: ([] if wildcards["n"] == "base" else ["results/checkpoints/base"], "other")
    assert json.loads(rule_graph([train], ["results/checkpoints/a"]))["edges"] == [["train", "train"]]
