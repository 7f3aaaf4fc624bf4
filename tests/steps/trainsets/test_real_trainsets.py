"""Training sets that the workflow builds from the committed files."""

import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_experiment import PROJECT, snakemake

from synthrank.data.files import read_jsonl
from synthrank.data.records import Candidate, Group
from synthrank.data.trec import read_qrels, relevant
from synthrank.rankers.in_batch import ApartBatches
from synthrank.rankers.relevance import Relevance

SHARED = os.environ.get("SYNTHRANK_SHARED", "")


def made(folder: Path, *recipes: str) -> list[list[Group]]:
    """Return the groups of each recipe, built in a copy of the project."""
    for name in ("rules", "scripts", "src", "envs", "config"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(PROJECT / "Snakefile", folder)
    if SHARED:
        (folder / "data").symlink_to(Path(SHARED, "collections"))
    targets = [f"results/trainsets/{recipe}/none/draw-0/groups.jsonl" for recipe in recipes]
    snakemake(folder, "--cores", "2", "--", *targets)
    return [list(read_jsonl(folder / target, Group)) for target in targets]


def of_label(groups: list[Group], label: float) -> list[str]:
    return [item.id for group in groups for item in group.candidates if item.label == label]


def unmasked(groups: list[Group], known: dict[str, set[str]], seed: int) -> tuple[int, int]:
    """Return the rows of an epoch in batches of 16 with a known positive among their in-batch negatives.

    The first number is without a mask, in random batches; the second is of what the sampler and the mask leave.
    """
    rows = [(group, list(group.candidates[:2])) for group in groups]
    relevance = Relevance(rows)
    generator = torch.Generator().manual_seed(seed)
    sampler = ApartBatches(rows, relevance=relevance, processes=1, batch_size=16, generator=generator)
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    positives: dict[str, set[str]] = {}
    for group, items in rows:
        positives.setdefault(group.query_id, {items[0].id, *known.get(group.query_id, ())}).add(items[0].id)

    def wrong(batch: list[int], mask: np.ndarray) -> int:
        count = 0
        for place, row in enumerate(batch):
            own = positives[rows[row][0].query_id]
            count += any(
                other != row and item.id in own and not mask[place, column, at]
                for at, other in enumerate(batch)
                for column, item in enumerate(rows[other][1])
            )
        return count

    by_chance = [order[start : start + 16] for start in range(0, len(order), 16)]
    batches = list(sampler)
    assert len(batches) == len(by_chance)
    before = sum(wrong(batch, np.zeros((len(batch), 2, len(batch)), dtype=bool)) for batch in by_chance)
    masks = [relevance.mask(batch, 0, len(batch)).reshape(len(batch), 2, len(batch)) for batch in batches]
    return before, sum(wrong(batch, mask) for batch, mask in zip(batches, masks, strict=True))


@pytest.mark.network
def test_training_sets_of_the_demo(tmp_path):
    """Its 640 negatives are nearly 640 distinct passages, because each query draws separately."""
    (human,) = made(tmp_path, "human")
    negatives = of_label(human, 0)
    assert len(negatives) == 640
    assert len(set(negatives)) >= 500
    known = relevant(read_qrels(tmp_path / "results/corpora/python-headings/train/qrels.txt"))
    assert all(set(group.relevant) >= known[group.query_id] for group in human)
    # Enrichment adds a second passage per query; its words do not matter here.
    written = [
        replace(group, candidates=(Candidate(f"{group.query_id}@zero-shot", f"for {group.query}", 1.0), *negatives))
        for group in human
        for negatives in [group.candidates[1:]]
    ]
    for seed in (1, 2, 3):
        before, left = unmasked([*human, *written], known, seed)
        assert before > 5
        assert left == 0


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_training_sets_of_nfcorpus(tmp_path):
    """If ties of grades were broken by id, 1,000 queries would have 481 positives."""
    human, both = made(tmp_path, "nfcorpus-shared-human", "nfcorpus-shared-human-llama2")
    assert len(human) == 1000
    assert len(set(of_label(human, 1))) >= 780
    assert len(of_label(human, 0)) == 7000
    negatives = [item.id for group in human for item in group.candidates[1:3]]
    assert len(negatives) == 2000
    assert len(set(negatives)) >= 1300
    assert max(map(negatives.count, set(negatives))) <= 12
    assert of_label(both, 1) == of_label(human, 1) * 2, "rewritten versions of the same abstracts and queries"
    known: dict[str, set[str]] = {}
    for line in Path(SHARED, "collections/nfcorpus/qrels/train.tsv").read_text().splitlines()[1:]:
        query, passage, grade = line.split("\t")
        if int(grade) > 0:
            known.setdefault(query, set()).add(passage)
    for groups in (human, both):
        before, left = unmasked(groups, known, 1)
        assert before > 100
        assert left == 0
