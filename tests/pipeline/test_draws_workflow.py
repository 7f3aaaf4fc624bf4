"""Training seeds with separate data: differences, shared data, and replies that are paid once."""

import filecmp
import json
import re

import pytest
from toy_experiment import make_toy, snakemake

pytestmark = pytest.mark.workflow

SEEDS = (1, 2)
RANKERS = ("bi-encoder", "cross-encoder")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a toy whose training sets were made for two seeds, with its replies counted.

    For the first seed, all rankers of one recipe are also trained and evaluated.
    """
    folder = make_toy(tmp_path_factory.mktemp("draws") / "toy")
    path = folder / "config/config.yaml"
    sized = "sizes: {recipes: [human], queries: [5]}\nseeds: [1, 2]\n"
    path.write_text(path.read_text().replace("seeds: [1]\n", sized))
    sets = [("human", "none"), ("human@5", "none"), ("enriched", "echo")]
    targets = [f"results/trainsets/{recipe}/{llm}/draw-{seed}/groups.jsonl" for recipe, llm in sets for seed in SEEDS]
    targets += [f"results/checkpoints/human/none/bi-encoder/seed-{seed}" for seed in SEEDS]
    scores = [f"enriched/echo/{ranker}/seed-1.csv" for ranker in RANKERS]
    targets += [f"results/metrics/testsets/{testset}/{name}" for testset in ("gardens", "kitchens") for name in scores]
    snakemake(folder, "--cores", "2", "--", *targets, "results/tables/cost.csv")
    return folder


def test_two_folders_give_the_same_bytes(finished, finished_toy):
    """One recipe with both rankers: every rule except that of the tables runs."""
    compared = 0
    for pattern in ("passages/**/*.jsonl", "runs/**/*.trec", "trainsets/**/*.jsonl", "metrics/**/*.csv"):
        for path in (finished_toy / "results").glob(pattern):
            twin = finished / path.relative_to(finished_toy)
            # Replies contain their time.
            if path.is_file() and path.name != "replies.jsonl" and path.parent.name != "shards" and twin.exists():
                assert filecmp.cmp(path, twin, shallow=False), path
                compared += 1
    assert compared >= 20


def groups(folder, recipe, llm, seed):
    path = folder / f"results/trainsets/{recipe}/{llm}/draw-{seed}/groups.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def exemplars(folder, paradigm, seed):
    path = folder / f"results/passages/gardens/{paradigm}/draw-{seed}/requests.jsonl"
    return [json.loads(line)["exemplars"] for line in path.read_text().splitlines()]


def test_seeds_differ_in_queries_negatives_and_exemplars(finished):
    one, two = (groups(finished, "human", "none", seed) for seed in SEEDS)
    queries = [{group["query_id"] for group in made} for made in (one, two)]
    assert len(queries[0]) == len(queries[1]) == 12
    assert queries[0] != queries[1]
    negatives = [
        {group["query_id"]: [item["id"] for item in group["candidates"][1:]] for group in made} for made in (one, two)
    ]
    shared = queries[0] & queries[1]
    assert shared
    assert any(negatives[0][name] != negatives[1][name] for name in shared)
    for paradigm in ("few-shot-unsupervised", "few-shot-supervised"):
        assert exemplars(finished, paradigm, 1) != exemplars(finished, paradigm, 2)


def test_smaller_sample_is_part_of_the_larger_one_per_seed(finished):
    for seed in SEEDS:
        small, large = (groups(finished, name, "none", seed) for name in ("human@5", "human"))
        assert small == large[:5]


def test_replies_that_seeds_share_are_paid_once(finished):
    place = finished / "results/passages/gardens"
    assert [path.name for path in (place / "zero-shot").iterdir()] == ["draw-0"]
    assert sorted(path.name for path in (place / "few-shot-supervised").iterdir()) == ["draw-1", "draw-2"]
    table = (finished / "results/tables/cost.csv").read_text().splitlines()
    rows = [dict(zip(table[0].split(","), line.split(","), strict=True)) for line in table[1:]]
    counted = {row["paradigm"]: (row["draws"], row["requests"]) for row in rows}
    assert counted["zero-shot"] == ("1", "14")
    assert counted["few-shot-supervised"] == counted["few-shot-unsupervised"] == ("2", "28")
    written = {
        seed: {item["id"] for group in groups(finished, "enriched", "echo", seed) for item in group["candidates"]}
        for seed in SEEDS
    }
    texts = {item["id"]: item["text"] for item in map(json.loads, _passages(place / "zero-shot/draw-0/echo"))}
    for names in written.values():
        assert names & texts.keys()


def _passages(folder):
    return (folder / "passages.jsonl").read_text().splitlines()


def test_the_trainer_has_the_seed_unless_the_experiment_leaves_it(finished):
    made = [json.loads((finished / f"results/checkpoints/human/none/bi-encoder/seed-{seed}/training.json").read_text())
            for seed in SEEDS]  # fmt: skip
    assert [item["seed"] for item in made] == [1, 2]
    text = snakemake(
        finished, "--dry-run", "--printshellcmds", "--config", "vary=['queries']", "--",
        "results/checkpoints/human/none/bi-encoder/seed-2",
    ).stdout  # fmt: skip
    (training,) = re.findall(r"step\.py train_ranker.*?--checkpoint (\S+)", text, re.DOTALL)
    assert training == "results/checkpoints/human/none/bi-encoder/seed-2"
    assert re.search(r"step\.py train_ranker.*?--seed 1 ", text, re.DOTALL)
    assert re.search(r"--query-draw 2 .*?--negative-draw 0 ", text, re.DOTALL)
    assert "draw-2" in text


def test_seeds_draw_other_replies_if_the_experiment_varies_generation(finished):
    target = "results/passages/gardens/zero-shot/draw-2/echo/replies.jsonl"
    vary = "vary=['queries','negatives','exemplars','generation','training']"
    snakemake(finished, "--cores", "2", "--config", vary, "--", target)
    said = finished / "results/logs/generate_passages/gardens/zero-shot/draw-2/echo/replies.log"
    assert "14 of 14 requests new, 0 from the store" in said.read_text()
    first, second = (
        [json.loads(line) for line in (finished / target.replace("draw-2", draw)).read_text().splitlines()]
        for draw in ("draw-0", "draw-2")
    )
    assert [item["messages"] for item in first] == [item["messages"] for item in second]
    assert [item["text"] for item in first] != [item["text"] for item in second]
    snakemake(finished, "--cores", "2", "--config", vary, "--forcerun", "generate_passages", "--", target)
    assert "0 of 14 requests new, 14 from the store" in said.read_text()
