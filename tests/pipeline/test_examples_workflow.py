"""Plan the examples of features that no larger experiment uses; a dry run needs no data and no model."""

import re
from pathlib import Path

import pytest
from toy_experiment import PROJECT, snakemake

pytestmark = pytest.mark.workflow

EXAMPLES = {
    "experiments/first-stages": (
        ["results/first-stages/tables/ood.csv"],
        [
            "index_dense retriever=minilm-ivf-pq",
            "index_dense retriever=minilm-hnsw",
            "run_orders retriever=bm25-likelihood",
        ],
    ),
    "experiments/leak-free": (
        ["results/leak-free/tables/ood.csv", "results/leak-free/tables/leaks.csv"],
        ["pair_trainset recipe=human-leak-free", "find_leaks data=trainsets/human-leak-free"],
    ),
    "experiments/graded-passages": (
        ["results/graded-passages/tables/id.csv"],
        ["generate_passages paradigm=graded", "pair_trainset recipe=msmarco-graded", "train_ranker gpu=2"],
    ),
    "experiments/dl20-teachers": (
        ["results/dl20-teachers/tables/twolar.csv"],
        ["import_run retriever=dl19-rankvicuna", "teacher_trainset recipe=dl20-repllama"],
    ),
    "paper": (
        ["results/checkpoints/twolar-released/none/twolar-large-lambda/seed-1"],
        ["teacher_trainset recipe=twolar-released", "train_ranker ranker=twolar-large-lambda"],
    ),
}
"""Targets and planned jobs of each configuration; a job is a rule and a part of its wildcards or resources."""

RECORDED = ("trec-dl19/runs/bm25.trec", "sliding-window/rankvicuna.bm25.dl19.jsonl")
"""Recorded runs are inputs, so planning needs the files; only jobs read their content."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_can_be_planned(name: str, tmp_path: Path) -> None:
    for shared in ("Snakefile", "rules", "scripts", "src", "envs", "config"):
        (tmp_path / shared).symlink_to(PROJECT / shared)
    for file in RECORDED:
        (tmp_path / "data" / file).parent.mkdir(parents=True)
        (tmp_path / "data" / file).touch()
    targets, jobs = EXAMPLES[name]
    text = snakemake(tmp_path, "--dry-run", "--configfile", f"config/{name}.yaml", "--", *targets).stdout
    blocks = re.split(r"\n(?=\[[A-Z][a-z]{2} )", text)
    for job in jobs:
        rule, part = job.split(" ")
        assert [block for block in blocks if f"rule {rule}:" in block and part in block], job
