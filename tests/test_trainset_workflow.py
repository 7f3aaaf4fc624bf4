"""Training sets through the workflow: copies of positives, what a model scores as high as one, a teacher's scores."""

import json

import pytest
from toy_experiment import make_toy, snakemake

from synthrank.files import read_jsonl
from synthrank.records import Group

RECIPE = """kind: pairs
corpus: gardens
positives: [{{paradigm: human, queries: 12}}]
negatives: {{source: human, retriever: bm25, depth: 10, count: 3, guard: {{{guard}}}}}
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Return a toy in whose collection every positive stands under a second id too, and what its recipes made."""
    folder = make_toy(tmp_path_factory.mktemp("guards") / "toy")
    path = folder / "data/gardens/corpus.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    copies = [
        {**row, "_id": f"copy-{row['_id']}", "text": "  ".join(row["text"].upper().split())}
        for row in rows
        if row["_id"].startswith("care-")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *copies]))
    corpus = folder / "config/corpora/gardens.yaml"
    corpus.write_text(corpus.read_text().replace("passages: 60", f"passages: {len(rows) + len(copies)}"))
    (folder / "config/recipes/plain.yaml").write_text(RECIPE.format(guard=""))
    cut = "max_share_of_positive: 0.95, scored_by: tiny"
    (folder / "config/recipes/cut.yaml").write_text(RECIPE.format(guard=cut))
    (folder / "config/recipes/taught.yaml").write_text(RECIPE.format(guard="") + "teacher: t5\n")
    student = (folder / "config/rankers/bi-encoder.yaml").read_text()
    (folder / "config/rankers/distilled.yaml").write_text(
        student.replace("loss: multiple-negatives", "loss: kl-divergence\nnegatives: 2")
    )
    targets = [f"results/trainsets/{name}/none/draw-0/groups.jsonl" for name in ("plain", "cut", "taught")]
    targets.append("results/checkpoints/taught/none/distilled/seed-1")
    snakemake(folder, "--cores", "2", "--", *targets)
    return folder


def read(folder, name):
    """Return the groups and the counts of a recipe."""
    made = folder / f"results/trainsets/{name}/none/draw-0"
    return list(read_jsonl(made / "groups.jsonl", Group)), json.loads((made / "stats.json").read_text())["human"]


def test_the_text_of_a_positive_under_another_id_is_no_negative(toy):
    groups, stats = read(toy, "plain")
    assert len(groups) == 12
    for group in groups:
        positive, *negatives = group.candidates
        assert f"copy-{positive.id}" not in [item.id for item in negatives]
        assert set(group.relevant) == {positive.id, f"copy-{positive.id}"}
    assert stats["negatives_same_text"] == 12


def test_what_the_named_model_scores_as_high_as_the_positive_is_left_out(toy):
    groups, stats = read(toy, "cut")
    assert {len(group.candidates) for group in groups} == {4}
    assert stats["negatives_too_near"] > 0
    assert "positives_unscored" not in stats


def test_a_teacher_scores_the_passages_and_a_student_distils_the_scores(toy):
    plain, stats = read(toy, "plain")
    groups, counted = read(toy, "taught")
    assert counted == stats
    assert [[item.id for item in group.candidates] for group in groups] == [
        [item.id for item in group.candidates] for group in plain
    ]
    scores = [item.teacher for group in groups for item in group.candidates]
    assert None not in scores
    assert len(set(scores)) > len(scores) / 2
    training = json.loads((toy / "results/checkpoints/taught/none/distilled/seed-1/training.json").read_text())
    assert (training["pairs"], training["updates"]) == (12 * 3, 3)
