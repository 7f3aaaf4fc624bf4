"""Train and rank with every architecture, with models of a few thousand parameters."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import toy_task as toy
from safetensors.torch import load_file
from sentence_transformers import CrossEncoder, SentenceTransformer
from tiny_models import SENTENCES, tiny_llm, tiny_t5
from transformers import AutoTokenizer, PreTrainedModel

from synthrank.config.rankers import BiEncoderRanker, CrossEncoderRanker, DecoderRanker, Seq2SeqRanker
from synthrank.data.files import sha256_of, write_jsonl
from synthrank.data.records import Candidate, Group, Passage, Query
from synthrank.data.trec import rank
from synthrank.errors import BudgetError, ConfigError, ModelError
from synthrank.rankers import open_ranker, train
from synthrank.rankers.base import Collection, Training
from synthrank.rankers.bi_encoder import LIBRARY as BI_LIBRARY
from synthrank.rankers.cosine import open_encoder
from synthrank.rankers.losses import LIST_LOSSES
from synthrank.steps.checkpoints.train_ranker import train_ranker


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Use one thread: a second thread does not speed up tiny models, and waits for busy cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def bases(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("bases")
    return {"cross-encoder": encoder, "bi-encoder": encoder,
            "seq2seq": tiny_t5(folder / "t5"), "decoder": tiny_llm(folder / "llm")}  # fmt: skip


@pytest.fixture(scope="module")
def calm(tmp_path_factory, bases):
    """Return the same models without dropout; their outputs do not depend on random numbers."""
    folder = tmp_path_factory.mktemp("calm")
    for name, base in bases.items():
        shutil.copytree(base, folder / name)
        config = json.loads((folder / name / "config.json").read_text())
        rates = dict.fromkeys([key for key in config if "dropout" in key], 0.0)
        assert rates
        (folder / name / "config.json").write_text(json.dumps(config | rates))
    return {name: folder / name for name in bases}


SPECS = {"cross-encoder": CrossEncoderRanker, "seq2seq": Seq2SeqRanker, "decoder": DecoderRanker,
         "bi-encoder": BiEncoderRanker}  # fmt: skip
LOSSES = [(name, loss) for name, spec in SPECS.items() for loss in spec.model_fields["loss"].annotation.__args__]


def taught(groups: list[Group]) -> list[Group]:
    """Return the groups with a teacher's scores, which only distillation losses use."""
    return [
        replace(group, candidates=tuple(replace(item, teacher=2.0 * item.label + 0.1) for item in group.candidates))
        for group in groups
    ]


@pytest.mark.parametrize(("architecture", "loss"), LOSSES)
def test_train_reduces_every_loss(tmp_path, bases, architecture, loss):
    ranker = toy.spec(architecture, loss, batch_size=2)
    log = train(ranker, Training(bases[architecture], taught(toy.groups(4, 2)), 1), tmp_path / "out")
    assert log.updates == 2, "a step is the same number of groups for every loss"
    assert len(log.losses) == log.updates
    assert all(np.isfinite(value) and value > 0 for _, value in log.losses)
    assert sorted(path.suffix for path in (tmp_path / "out").rglob("model*")) == [".safetensors"]
    assert (log.pairs, log.pairs_cut, log.resumed_at) == (12, 0, 0)
    assert log.seconds_per_update > 0
    assert 100 < log.peak_memory_mb < 100_000


@pytest.mark.parametrize("architecture", SPECS)
def test_step_of_two_lists_equals_two_accumulated_steps(tmp_path, calm, architecture):
    groups = [toy.groups(2, 3)[0], toy.groups(2, 1)[1]]
    curves = []
    for batch_size, accumulation in ((2, 1), (1, 2)):
        ranker = toy.spec(architecture, "ranknet", batch_size=batch_size, epochs=4,
                          optimiser={"accumulation": accumulation, "warmup": 0.0})  # fmt: skip
        log = train(ranker, Training(calm[architecture], groups, 1), tmp_path / str(batch_size))
        curves.append([loss for _, loss in log.losses])
    assert len(curves[0]) == 4
    assert curves[0] == pytest.approx(curves[1], rel=1e-3)
    assert curves[0][3] < 0.99 * curves[0][0]


@pytest.mark.parametrize("architecture", SPECS)
def test_gradient_checkpointing_is_enabled_if_the_ranker_states_it(tmp_path, bases, architecture, monkeypatch):
    def enable(model):
        enabled.append(type(model).__name__)
        real(model)

    made, enabled = [], []
    real = PreTrainedModel.activation_checkpointing_enable
    monkeypatch.setattr(PreTrainedModel, "activation_checkpointing_enable", enable)
    for checkpointing in (False, True):
        settings = {"gradient_checkpointing": checkpointing}
        train(toy.spec(architecture, "ranknet", optimiser=settings), Training(bases[architecture], toy.groups(8), 1),
              tmp_path / str(checkpointing))  # fmt: skip
        made.append(load_file(tmp_path / str(checkpointing) / "model.safetensors"))
    assert len(enabled) == 1
    for name, tensor in made[0].items():
        torch.testing.assert_close(made[1][name], tensor)


def test_similarity_list_loss_uses_graded_labels_and_prefixes(tmp_path, calm, monkeypatch):
    """The scores are similarities of texts with prefixes, divided by the temperature."""
    seen = []

    def function(scores, labels, mask):
        seen.append((scores.detach(), labels, mask))
        return scores.sum()

    monkeypatch.setitem(LIST_LOSSES, "rmse", function)
    groups = [
        Group("q", "rain", (Candidate("a", "the sea", 0.9), Candidate("b", "bread", 0.4), Candidate("c", "", 0.1)))
    ]
    spec = toy.spec("bi-encoder", "rmse", temperature=0.2, query_prefix="the ", passage_prefix="a ")
    train(spec, Training(calm["bi-encoder"], groups, 1), tmp_path / "out")
    ((scores, labels, mask),) = seen
    assert labels.tolist() == [pytest.approx([0.9, 0.4, 0.1])]
    assert mask.all()
    model = SentenceTransformer(str(calm["bi-encoder"]), device="cpu")
    vectors = model.encode(["the rain", "a the sea", "a bread", "a "], normalize_embeddings=True)
    assert scores[0].tolist() == pytest.approx((vectors[1:] @ vectors[0] / 0.2).tolist(), abs=1e-4)


def test_bi_encoder_loss_divides_similarities_by_the_temperature(tmp_path, encoder, monkeypatch):
    given = []

    def loss(model, relevance, **arguments):
        given.append(arguments)
        raise InterruptedError

    monkeypatch.setitem(BI_LIBRARY, "multiple-negatives", loss)
    with pytest.raises(InterruptedError):
        train(
            toy.spec("bi-encoder", "multiple-negatives", temperature=0.2),
            Training(encoder, toy.groups(8), 1),
            tmp_path / "x",
        )
    assert [each["scale"] for each in given] == [5.0]


LEARNERS = [
    ("cross-encoder", "ranknet", 5e-3),
    ("seq2seq", "ranknet", 5e-3),
    ("decoder", "ranknet", 5e-3),
    ("bi-encoder", "multiple-negatives", 5e-3),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, bases):
    """Return checkpoints by architecture and name, made by the step: a long one, short ones of seeds 1, 1 and 2."""
    folder = tmp_path_factory.mktemp("trained")
    for architecture, loss, rate in LEARNERS:
        # a tiny model that reads both texts cannot match them, so all queries have the same subject
        positive = None if architecture == "bi-encoder" else "bees"
        write_jsonl(folder / "groups.jsonl", toy.groups(32, positive=positive))
        for length, epochs in ((architecture, 12), ("short", 2)):
            spec = toy.spec(architecture, loss, epochs=epochs, rate=rate)
            (folder / f"{length}.yaml").write_text(json.dumps(spec.model_dump(mode="json", exclude_none=True)))
        for name, length, seed in (("first", architecture, 1), ("one", "short", 1), ("again", "short", 1),
                                   ("other", "short", 2)):  # fmt: skip
            train_ranker(trainset=folder / "groups.jsonl", spec=folder / f"{length}.yaml",
                         base=bases[architecture], seed=seed,
                         development=[], checkpoint=folder / architecture / name)  # fmt: skip
    return folder


@pytest.mark.parametrize("architecture", [item[0] for item in LEARNERS])
def test_train_ranks_relevant_passages_first(trained, architecture):
    rows = list(csv.DictReader((trained / architecture / "first/loss.csv").open()))
    losses = [float(row["loss"]) for row in rows]
    assert [int(row["update"]) for row in rows] == list(range(1, 49))
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:8])


@pytest.mark.parametrize("architecture", [item[0] for item in LEARNERS])
def test_train_is_determined_by_the_seed(trained, architecture):
    one, again, other = (sha256_of(trained / architecture / name / "model.safetensors")
                         for name in ("one", "again", "other"))  # fmt: skip
    assert one == again
    assert one != other
    losses = [(trained / architecture / name / "loss.csv").read_bytes() for name in ("one", "again")]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("architecture", [item[0] for item in LEARNERS])
def test_checkpoint_contains_safetensors_and_training_json(trained, architecture):
    files = [path for path in (trained / architecture / "first").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"model.safetensors", "config.json", "loss.csv", "training.json"}
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".csv", ".txt", ".jinja"}
    made = json.loads((trained / architecture / "first/training.json").read_text())
    assert (made["ranker"], made["seed"], made["groups"], made["updates"]) == (architecture, 1, 32, 48)
    assert made["settings"]["optimiser"]["epochs"] == 12
    assert made["settings"]["loss"] == {item[0]: item[1] for item in LEARNERS}[architecture]
    assert made["settings"].get("score") == (None if architecture == "bi-encoder" else "difference")
    assert made["base"] == {"model": "tiny"}
    assert (made["pairs"], made["pairs_cut"], made["resumed_at"]) == (128, 0, 0)
    assert made["seconds_per_update"] > 0
    assert made["peak_memory_mb"] > 100


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    path = tmp_path_factory.mktemp("collection") / "p.jsonl"
    write_jsonl(path, [Passage(f"{number:03}", text) for number, text in enumerate(SENTENCES)])
    queries = (Query("007", "search engine question"), Query("NA", "bees and flowers"), Query("7", "a river"))
    return path, queries


def first_stage(depth=6):
    names = [f"{number:03}" for number in range(len(SENTENCES))]
    return {"007": rank(zip(names[:depth], range(depth), strict=True)),
            "NA": rank(zip(names[3:], range(9), strict=False)), "unasked": [("000", 1.0)]}  # fmt: skip


def test_cross_encoder_reorders_the_top_of_the_first_stage(trained, collection):
    path, queries = collection
    checkpoint, before = trained / "cross-encoder/first", first_stage()
    run = open_ranker(toy.spec("cross-encoder", "listnet", eval_batch_size=3), checkpoint, 1).rank(
        Collection(queries, path, before)
    )
    assert list(run) == ["007", "NA"], "only queries of the collection and the first stage"
    model = CrossEncoder(str(checkpoint), num_labels=1, max_length=24, device="cpu")
    text_of = {query.id: query.text for query in queries}
    for query, pairs in run.items():
        assert {name for name, _ in pairs} == {name for name, _ in before[query][:4]}, "depth is 4"
        assert pairs == rank(pairs), "best first, because fusion uses ranks"
        for name, score in pairs:
            pair = [(text_of[query], SENTENCES[int(name)])]
            single = model.predict(pair, activation_fn=torch.nn.Identity(), show_progress_bar=False)[0]
            assert score == pytest.approx(float(single), abs=1e-4)
    assert len({round(score, 4) for pairs in run.values() for _, score in pairs}) > 4


def test_seq2seq_reorders_the_top_of_the_first_stage(trained, collection, caplog):
    path, queries = collection
    before = first_stage()
    ranker = open_ranker(toy.spec("seq2seq", "ranknet", max_length=26), trained / "seq2seq/first", 1)
    with caplog.at_level("WARNING"):
        run = ranker.rank(Collection(queries, path, before))
    assert list(run) == ["007", "NA"]
    for query, pairs in run.items():
        assert {name for name, _ in pairs} == {name for name, _ in before[query][:4]}
        assert pairs == rank(pairs)
    tokenizer = AutoTokenizer.from_pretrained(trained / "seq2seq/first")
    text_of = {query.id: query.text for query in queries}
    lengths = [len(tokenizer(f"Query: {text_of[query]} Document: {SENTENCES[int(name)]} Relevant:")["input_ids"])
               for query, pairs in run.items() for name, _ in pairs]  # fmt: skip
    long = sum(length > 26 for length in lengths)
    assert 0 < long < len(lengths)
    assert [record.getMessage() for record in caplog.records if record.name.endswith("reranker")] == [
        f"prompts: {long} passages and 0 queries were truncated"
    ]
    whole = open_ranker(toy.spec("seq2seq", "ranknet", max_length=200), trained / "seq2seq/first", 1)
    assert whole.rank(Collection(queries, path, before)) != run
    deep = ranker.rank(Collection(queries, path, before, depth=2))
    assert {query: len(pairs) for query, pairs in deep.items()} == {"007": 2, "NA": 2}


def test_rank_of_a_query_does_not_depend_on_other_queries(trained, collection, monkeypatch):
    path, queries = collection
    ranker = open_ranker(toy.spec("cross-encoder", "listnet"), trained / "cross-encoder/first", 1)
    whole = ranker.rank(Collection(queries, path, first_stage()))
    monkeypatch.setattr("synthrank.rankers.candidates.PAIRS_AT_ONCE", 1)
    for query, pairs in ranker.rank(Collection(queries, path, first_stage())).items():
        assert dict(pairs) == pytest.approx(dict(whole[query]), abs=1e-5)


def test_open_ranker_draws_a_missing_head_from_the_seed(encoder, collection):
    path, queries = collection
    runs = [
        open_ranker(toy.spec("cross-encoder", "listnet"), encoder, seed).rank(Collection(queries, path, first_stage()))
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_bi_encoder_vectors_equal_the_library(trained):
    checkpoint = trained / "bi-encoder/first"
    spec = toy.spec("bi-encoder", "multiple-negatives", query_prefix="query: ", passage_prefix="the ")
    found = open_encoder(spec, checkpoint)
    model = SentenceTransformer(str(checkpoint), device="cpu")
    model.max_seq_length = 24
    for prefix, vectors in (("the ", found.passages(SENTENCES)), ("query: ", found.queries(SENTENCES))):
        expected = model.encode([prefix + text for text in SENTENCES])
        assert vectors == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-5)


def test_bi_encoder_reorders_the_top_of_the_first_stage(trained, collection, monkeypatch):
    path, queries = collection
    checkpoint = trained / "bi-encoder/first"
    prefixes = {"query_prefix": "query: ", "passage_prefix": "the "}
    spec = toy.spec("bi-encoder", "ranknet", rerank={"retriever": "bm25", "depth": 4}, **prefixes)
    encoder = open_encoder(spec, checkpoint)
    passages = encoder.passages(SENTENCES)
    cosines = dict(zip(queries, encoder.queries([query.text for query in queries]) @ passages.T, strict=True))
    ranker = open_ranker(spec, checkpoint, 1)
    encoded = []
    real = ranker._encoder.passages
    monkeypatch.setattr(ranker._encoder, "passages", lambda texts: encoded.extend(texts) or real(texts))
    before = {query: [(f"{begin + place:03}", -float(place)) for place in range(5)]
              for query, begin in (("NA", 2), ("007", 0), ("unasked", 6))}  # fmt: skip
    run = ranker.rank(Collection(queries, path, before))
    assert list(run) == ["007", "NA"]
    for query in queries[:2]:
        expected = rank((name, cosines[query][int(name)]) for name, _ in before[query.id][:4])
        assert [name for name, _ in run[query.id]] == [name for name, _ in expected]
        assert [score for _, score in run[query.id]] == pytest.approx([score for _, score in expected], abs=1e-5)
    assert len(encoded) == len(set(encoded)) == 6, "each candidate is encoded once, and no other passage"
    assert len(ranker.rank(Collection(queries, path, before, depth=2))["NA"]) == 2
    assert ranker.rank(Collection(queries, path, {})) == {}


@pytest.mark.parametrize("architecture", SPECS)
def test_eval_max_length_does_not_depend_on_the_training_length(trained, collection, architecture):
    """The same passages are truncated at length 26 and whole at length 64."""
    path, queries = collection
    loss = {"rerank": {"retriever": "bm25", "depth": 4}}

    def run(**lengths):
        ranker = open_ranker(toy.spec(architecture, "ranknet", **loss, **lengths), trained / f"{architecture}/first", 1)
        return ranker.rank(Collection(queries, path, first_stage()))

    short, long = (26, 64) if architecture in ("seq2seq", "decoder") else (12, 64)
    assert run(max_length=short) != run(max_length=long)
    assert run(max_length=short, eval_max_length=long) == run(max_length=long)
    assert run(max_length=long, eval_max_length=short) == run(max_length=short)


def test_open_ranker_refuses_a_bi_encoder_without_rerank(trained):
    with pytest.raises(ConfigError, match="rerank: is missing; a bi-encoder that reorders"):
        open_ranker(toy.spec("bi-encoder", "multiple-negatives"), trained / "bi-encoder/first", 1)


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_open_ranker_names_a_folder_without_a_model(tmp_path, architecture):
    loss = "listnet" if architecture == "cross-encoder" else "multiple-negatives"
    rerank = {"rerank": {"retriever": "bm25", "depth": 4}}
    with pytest.raises(ModelError, match=f"{tmp_path}: not a {architecture} "):
        open_ranker(toy.spec(architecture, loss, **rerank), tmp_path, 1)


def test_train_ranker_refuses_an_empty_training_set(tmp_path, trained, encoder):
    (tmp_path / "none.jsonl").touch()
    with pytest.raises(BudgetError, match=r"none\.jsonl: the training set is empty; expected at least one group"):
        train_ranker(trainset=tmp_path / "none.jsonl", spec=trained / "bi-encoder.yaml", base=encoder, seed=1,
                     development=[], checkpoint=tmp_path / "out")  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_failed_training_leaves_no_checkpoint(tmp_path, trained, encoder, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("synthrank.steps.checkpoints.train_ranker.train", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        train_ranker(trainset=trained / "groups.jsonl", spec=trained / "bi-encoder.yaml", base=encoder, seed=1,
                     development=[], checkpoint=tmp_path / "out")  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("architecture", ["cross-encoder", "seq2seq", "decoder"])
def test_bf16_ranker_trains_and_scores(tmp_path, bases, collection, architecture):
    spec = toy.spec(architecture, "lambda", bf16=True, batch_size=4)
    train(spec, Training(bases[architecture], toy.groups(8), 1), tmp_path / "out")
    path, queries = collection
    run = open_ranker(spec, tmp_path / "out", 1).rank(Collection(queries, path, first_stage()))
    assert len(run["007"]) == 4
    assert torch.isfinite(torch.tensor([score for _, score in run["007"]])).all()
    assert {tensor.dtype for tensor in load_file(tmp_path / "out/model.safetensors").values()} == {torch.float32}
