"""Generating and ranking in shards: planned jobs, and the same files as without shards."""

import re

import pytest
from conftest import copy_of
from toy_experiment import snakemake

pytestmark = pytest.mark.workflow

WRITTEN = (
    "results/passages/gardens/zero-shot/draw-0/echo/replies.jsonl",
    "results/queries/gardens/asked/raw.jsonl",
    "results/queries/gardens/asked/replies.jsonl",
    "results/queries/gardens/asked/counts.json",
)
ORDERED = "results/rankings/gardens/asked/four/windows/echo/orders.jsonl"


@pytest.fixture(scope="module")
def toy(finished_toy, tmp_path_factory):
    """Return a copy of the finished toy, in which one job generated all replies."""
    return copy_of(finished_toy, tmp_path_factory.mktemp("toy") / "one")


def in_shards(folder, count):
    """Use this number of jobs for generating and ranking."""
    path = folder / "config/config.yaml"
    text = re.sub(r"(?m)^shards: .*\n", "", path.read_text())
    path.write_text(f"{text}shards: {{write: {count}, order: {count}}}\n")


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_jobs_are_planned_as_there_are_shards(toy, count):
    in_shards(toy, count)
    done = snakemake(toy, "--dry-run", "--forceall", "--printshellcmds", "--", *WRITTEN, ORDERED)
    jobs = {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}
    shared = ("generate_passages", "ask_queries", "rank_candidates")
    whole = ("sample_passages", "gather_asked_queries", "gather_orders")
    assert [jobs[rule] for rule in shared] == [count] * 3
    assert [jobs[rule] for rule in whole] == [1] * 3
    assert jobs.get("concatenate_replies", 0) == (count > 1)
    shards = re.findall(r"/step\.py (\w+) .*?--shard (\S+) ", done.stdout)
    for rule in shared:
        found = sorted(shard for step, shard in shards if step == rule)
        assert found == [f"{number}-of-{count}" for number in range(1, count + 1)]


def test_shards_give_the_same_files(toy):
    made = {}
    for count in (1, 3):
        in_shards(toy, count)
        snakemake(toy, "--cores", "2", "--", *WRITTEN)
        # Repeated requests are answered by the store, with the time of the first reply.
        made[count] = [(toy / path).read_bytes() for path in WRITTEN]
        shards = list((toy / "results/passages/gardens/zero-shot/draw-0/echo/shards").glob("*-of-*/replies.jsonl"))
        assert len(shards) == (0 if count == 1 else count)
    assert made[1] == made[3]
    assert all(made[1])
