"""Settings are chosen only on the development split: no judgment of a test set reaches the choice."""

import json
import re
import shutil

import pytest
import yaml
from toy_experiment import PLANTS, make_toy, snakemake

pytestmark = pytest.mark.workflow

CHECKPOINT = "results/checkpoints/human/none/bi-encoder/seed-1"
TABLES = ("results/tables/id.csv", "results/tables/ood.csv")

TEST_QRELS = re.compile(r"results/corpora/[^/]+/test/qrels\.txt")


def change(path, **changed):
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changed}))


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A toy whose last eight plants are the development split, and whose bi-encoder tries two rates of two points."""
    folder = make_toy(tmp_path_factory.mktemp("toy") / "one")
    data, asked = folder / "data/gardens", range(22, 30)
    with (data / "queries.jsonl").open("a") as stream:
        for place in asked:
            row = {"_id": f"q{place:03}", "text": f"How often should I water the {PLANTS[place]}?"}
            stream.write(json.dumps(row) + "\n")
    lines = ["query-id\tcorpus-id\tscore", *(f"q{place:03}\tcare-{PLANTS[place]}\t1" for place in asked)]
    (data / "qrels/dev.tsv").write_text("\n".join(lines) + "\n")
    splits = {name: f"qrels/{name}.tsv" for name in ("train", "dev", "test")}
    change(folder / "config/corpora/gardens.yaml", splits=splits, development="dev")
    grid = {"learning_rates": [1e-4, 1e-2], "epochs": [1, 2], "retriever": "bm25", "depth": 10}
    optimiser = {"learning_rate": 1e-3, "epochs": 2, "batch_size": 4}
    change(folder / "config/rankers/bi-encoder.yaml", selection=grid, optimiser=optimiser)
    change(folder / "config/config.yaml", recipes=["human", "enriched"], rankers=["bi-encoder"])
    return folder


def jobs(folder, *targets):
    """Return (rule, inputs, outputs) of every job that a dry run lists."""
    text = snakemake(folder, "--dry-run", "--", *targets).stdout
    found = []
    for block in re.split(r"\n(?=\[[A-Z][a-z]{2} )", text):
        rule = re.search(r"^(?:local)?rule (\w+):", block, re.MULTILINE)
        if rule:
            files = {
                kind: (re.search(rf"^ +{kind}: (.*)$", block, re.MULTILINE) or [None, ""])[1].split(", ")
                for kind in ("input", "output")
            }
            found.append((rule[1], files["input"], files["output"]))
    return found


def test_no_judgment_of_a_test_set_is_in_the_closure_of_a_training(toy):
    listed = jobs(toy, *TABLES)
    maker = {path: job for job in listed for path in job[2]}
    trainings = [job for job in listed if job[0] == "train_ranker"]
    assert len(trainings) == 2
    for training in trainings:
        assert [path for path in training[1] if "/dev" in path] == [
            "results/corpora/gardens/dev/queries.jsonl", "results/corpora/gardens/dev/qrels.txt",
            "results/runs/corpora/gardens/bm25/dev.trec",
        ]  # fmt: skip
        closure, waiting = [], [training]
        while waiting:
            job = waiting.pop()
            if job not in closure:
                closure.append(job)
                waiting += [maker[path] for path in job[1] if path in maker]
        assert {"pair_trainset", "search_bm25"} <= {rule for rule, *_ in closure}
        readers = {rule for rule, inputs, _ in closure for path in inputs if TEST_QRELS.fullmatch(path)}
        assert readers == {"exclude_passages"}, "test answers are left out, and used for nothing else"
        assert not [path for _, inputs, _ in closure for path in inputs if "kitchens" in path or "metrics/" in path]


def made(folder):
    return {
        path.name: path.read_bytes()
        for path in (folder / CHECKPOINT).rglob("*")
        if path.suffix == ".safetensors" or path.name == "selection.json"
    }


def test_other_judgments_of_the_test_set_leave_the_chosen_model_as_it_is(toy):
    snakemake(toy, "--cores", "2", "--", CHECKPOINT)
    first = made(toy)
    told = json.loads(first["selection.json"])
    assert (told["split"], told["queries"], len(told["trials"])) == ("gardens/dev", 8, 4)
    assert len({item["value"] for item in told["trials"]}) > 1, "there is something to choose"
    # Each test query gets another query's answer: the held-out passages stay the same, the measures change.
    judgments = toy / "data/gardens/qrels/test.tsv"
    head, *rows = judgments.read_text().splitlines()
    queries, *rest = zip(*(row.split("\t") for row in rows), strict=True)
    judgments.write_text("\n".join([head, *map("\t".join, zip(queries[1:] + queries[:1], *rest, strict=True))]) + "\n")
    before = (toy / "results/corpora/gardens/test/qrels.txt").read_text()
    shutil.rmtree(toy / CHECKPOINT)
    snakemake(toy, "--cores", "2", "--", CHECKPOINT)
    assert (toy / "results/corpora/gardens/test/qrels.txt").read_text() != before
    assert made(toy) == first


def test_a_split_that_is_tuned_and_tested_on_is_refused_before_anything_runs(toy):
    spec = toy / "config/testsets/gardens.yaml"
    kept = spec.read_text()
    change(spec, split="dev")
    done = snakemake(toy, "--dry-run", "--", *TABLES, check=False)
    spec.write_text(kept)
    assert done.returncode
    assert (
        "config/testsets/gardens.yaml: split: 'dev' shares queries with the development split of corpus 'gardens'; "
        "test on another split"
    ) in done.stdout
