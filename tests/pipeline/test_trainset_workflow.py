"""Training sets in the workflow: copies of positives, scores of models, filters, generated queries."""

import csv
import json
import math

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from toy_experiment import make_toy, snakemake

from synthrank.data.files import read_jsonl
from synthrank.data.records import Group, Query, Reply, WrittenPassage
from synthrank.data.sampling import shuffle
from synthrank.data.trec import read_run

RECIPE = """kind: pairs
corpus: gardens
positives: [{{paradigm: human, queries: 12}}]
negatives: {{source: human, retriever: bm25, depth: 10, count: 3, guard: {{{guard}}}}}
"""

FILTER = """kind: pairs
corpus: gardens
positives: [{{paradigm: {paradigm}, queries: 4, filter: {{{spec}}}}}]
negatives: {{source: human, retriever: bm25, depth: 10, count: 3}}
"""
FILTERED = {
    "by-llm": ("zero-shot", "kind: llm, ranking: likelihood, llm: echo, keep_share: 0.5"),
    "by-vectors": ("zero-shot", "kind: retriever, retriever: tiny, keep_share: 0.4"),
    "by-reranker": ("zero-shot", "kind: ranker, ranker: t5, keep_share: 0.5"),
    "found-again": ("zero-shot", "kind: round-trip, retriever: bm25, depth: 1"),
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Return a toy with a copy of every positive under a second id, and the results of its recipes."""
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
    for name, (paradigm, spec) in FILTERED.items():
        (folder / f"config/recipes/{name}.yaml").write_text(FILTER.format(paradigm=paradigm, spec=spec))
    (folder / "config/recipes/inpars.yaml").write_text(
        RECIPE.format(guard="").replace("paradigm: human, queries: 12", "paradigm: inpars, queries: 10")
    )
    targets = [f"results/trainsets/{name}/none/draw-0/groups.jsonl" for name in ("plain", "cut", "taught")]
    targets += [f"results/trainsets/{name}/echo/draw-0/groups.jsonl" for name in FILTERED]
    targets.append("results/trainsets/inpars/echo-short/draw-0/groups.jsonl")
    targets += [
        "results/checkpoints/taught/none/distilled/seed-1",
        "results/checkpoints/inpars/echo-short/bi-encoder/seed-1",
    ]
    snakemake(folder, "--cores", "2", "--", *targets)
    return folder


def read(folder, name, llm="none", paradigm="human"):
    """Return the groups and the counts of a recipe."""
    made = folder / f"results/trainsets/{name}/{llm}/draw-0"
    return list(read_jsonl(made / "groups.jsonl", Group)), json.loads((made / "stats.json").read_text())[paradigm]


def test_copy_of_a_positive_is_never_a_negative(toy):
    groups, stats = read(toy, "plain")
    assert len(groups) == 12
    for group in groups:
        positive, *negatives = group.candidates
        assert f"copy-{positive.id}" not in [item.id for item in negatives]
        assert set(group.relevant) == {positive.id, f"copy-{positive.id}"}
    assert stats["negatives_same_text"] == 12


def test_candidates_scored_like_the_positive_are_excluded(toy):
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


ZERO_SHOT = "passages/gardens/zero-shot/draw-0/echo"


def served(folder, keeps):
    """Return the first four queries, in the recipe's order, whose generated passage is kept, with these passages."""
    written = {
        item.query_id: item for item in read_jsonl(folder / f"results/{ZERO_SHOT}/passages.jsonl", WrittenPassage)
    }
    queries = [item.id for item in read_jsonl(folder / "results/corpora/gardens/train/queries.jsonl", Query)]
    kept = [written[name].id for name in shuffle(queries, 13) if name in written and keeps(written[name])]
    return kept[:4], len(written) - len(kept), len(written)


def filter_of(folder, name):
    groups, stats = read(folder, name, "echo", "zero-shot")
    assert stats["groups"] == 4, "the budget is that of any recipe of this size"
    return [group.candidates[0].id for group in groups], stats["filter_dropped"], stats["filter_pairs"]


def best(scores, share):
    """Return a function that checks whether a pair is among the best ``share`` of all pairs."""
    lowest = sorted(scores.values(), reverse=True)[math.ceil(share * len(scores)) - 1]
    return lambda item: scores[item.id] >= lowest


def test_a_filter_by_vectors_drops_what_the_model_itself_finds_least_similar(toy):
    written = list(read_jsonl(toy / f"results/{ZERO_SHOT}/passages.jsonl", WrittenPassage))
    model = SentenceTransformer(str(toy / "results/models/tiny-encoder"), device="cpu")
    model.max_seq_length = 32
    vectors = [model.encode([item.query, item.text], normalize_embeddings=True) for item in written]
    scores = {item.id: float(np.dot(*pair)) for item, pair in zip(written, vectors, strict=True)}
    assert filter_of(toy, "by-vectors") == served(toy, best(scores, 0.4))


def test_a_filter_by_a_language_model_keeps_what_it_finds_likely(toy):
    prompt = (toy / "config/prompts/rank-query-likelihood.md").read_text().split("---")[2]

    def likelihood(item):
        """Echo gives words of its prompt a probability of .1, other words .001."""
        shown = {word.strip(".,?:").lower() for word in f"{prompt} {item.text}".split()}
        words = [word.strip("?").lower() for word in item.query.split()]
        return sum(math.log(0.1 if word in shown else 0.001) for word in words) / len(words)

    written = list(read_jsonl(toy / f"results/{ZERO_SHOT}/passages.jsonl", WrittenPassage))
    scores = {item.id: round(likelihood(item), 6) for item in written}
    assert filter_of(toy, "by-llm") == served(toy, best(scores, 0.5))


def test_a_filter_by_a_reranker_keeps_the_share(toy):
    chosen, dropped, pairs = filter_of(toy, "by-reranker")
    assert (len(set(chosen)), dropped, pairs) == (4, pairs // 2, 14)


def test_a_round_trip_keeps_passages_that_their_query_finds_first(toy):
    run = read_run(toy / f"results/runs/{ZERO_SHOT}/bm25/train.trec")
    found = served(toy, lambda item: run[item.query_id][0][0] == item.id)
    assert filter_of(toy, "found-again") == found


def test_a_recipe_of_generated_queries_trains_on_human_passages(toy):
    groups, stats = read(toy, "inpars", "echo-short", "inpars")
    queries = {item.id: item for item in read_jsonl(toy / "results/queries/gardens/inpars/queries.jsonl", Query)}
    texts = {
        item["id"]: item["text"] for item in map(json.loads, (toy / "results/corpora/gardens/passages.jsonl").open())
    }
    held_out = {row.split()[2] for row in (toy / "results/corpora/gardens/test/qrels.txt").read_text().splitlines()}
    assert (stats["groups"], stats["queries"], stats["queries_replaced"]) == (10, 10, 0)
    assert [group.query_id for group in groups] == shuffle(queries, 13)[:10]
    for group in groups:
        query, (positive, *negatives) = queries[group.query_id], group.candidates
        assert (group.query, positive.id, positive.text) == (query.text, query.source, texts[query.source])
        assert positive.label == 1 > max(item.label for item in negatives)
        assert positive.id in group.relevant
        assert not held_out & {item.id for item in group.candidates}
    shown = list(read_jsonl(toy / "results/queries/gardens/inpars/replies.jsonl", Reply))
    assert all(reply.messages[-1].content.count("Relevant Query:") == 3 for reply in shown), "two examples and its own"
    training = json.loads((toy / "results/checkpoints/inpars/echo-short/bi-encoder/seed-1/training.json").read_text())
    assert training["pairs"] > 0


def test_the_tables_of_replies_have_a_row_of_generated_queries(toy):
    snakemake(toy, "--cores", "2", "--config", "recipes=['human','inpars']", "--", "results/tables/cost.csv")
    for name in ("cost", "replies"):
        with (toy / f"results/tables/{name}.csv").open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        assert [row[key] for key in ("corpus", "kind", "paradigm", "llm", "draws", "replies")] == [
            "gardens", "queries", "inpars", "echo-short", "1", "16"
        ]  # fmt: skip
