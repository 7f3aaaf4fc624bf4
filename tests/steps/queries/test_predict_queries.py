"""Predicted queries: sampled with separate random numbers per passage, by a T5 with random weights."""

import json
from collections import Counter

import pytest
import torch
from held_out_case import exclude
from tiny_models import tiny_llm, tiny_t5
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from synthrank.config.augmentations import Doc2QueryQueries
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.errors import BudgetError, ModelError, ShardError
from synthrank.steps.queries.gather_predicted_queries import gather_predicted_queries
from synthrank.steps.queries.predict_queries import predict_queries
from synthrank.steps.queries.predictor import Predictor
from synthrank.steps.queries.sample_passages import sample_passages

pytestmark = pytest.mark.usefixtures("one_thread")

PASSAGES = [
    Passage("p1", "Bees dance to tell the hive where flowers with nectar are in bloom."),
    Passage("p2", "Rain falls when warm and wet air rises, cools and lets its water go."),
    Passage("p3", "Bread needs flour."),
    Passage("p4", "Settings are read once when the server starts, so restart it after a change. " * 5),
    Passage("p5", "The river rises in the mountains and reaches the sea near the old town."),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tiny_t5(tmp_path_factory.mktemp("models") / "t5")
    write_json(folder / "source.json", {"entity": {}, "weights": {"model.safetensors": "f" * 64}})
    return folder


def settings(**changed):
    stated = {"kind": "doc2query", "model": "t5", "count": 10, "max_new_tokens": 8, "batch_size": 3, **changed}
    return Doc2QueryQueries.model_validate(stated)


def predicted(model, passages, **changed):
    return {passage.id: texts for passage, texts in Predictor(settings(**changed), model).predict(passages)}


def test_predict_does_not_depend_on_the_batch(model):
    together = predicted(model, PASSAGES, per_passage=2)
    assert len({text for texts in together.values() for text in texts}) == 10
    for passage in PASSAGES:
        assert predicted(model, [passage], per_passage=2) == {passage.id: together[passage.id]}
    assert predicted(model, PASSAGES[::-1], per_passage=2, batch_size=8) == together
    # One query is the first of two.
    assert predicted(model, PASSAGES) == {name: texts[:1] for name, texts in together.items()}


def test_predict_depends_on_seed_and_text(model):
    first = predicted(model, PASSAGES)
    assert predicted(model, PASSAGES) == first
    assert predicted(model, PASSAGES, seed=14)["p1"] != first["p1"]
    assert predicted(model, [Passage("other", PASSAGES[0].text)])["other"] == first["p1"]


def test_predict_with_top_k_of_one_is_greedy(model):
    tokenizer, plain = AutoTokenizer.from_pretrained(model), AutoModelForSeq2SeqLM.from_pretrained(model).eval()
    for passage in PASSAGES:
        output = plain.generate(**tokenizer(passage.text, return_tensors="pt"), max_new_tokens=8, do_sample=False)
        greedy = " ".join(tokenizer.decode(output[0], skip_special_tokens=True).split())
        assert predicted(model, [passage], top_k=1)[passage.id] == [greedy]
        assert predicted(model, [passage], temperature=1e-4)[passage.id] == [greedy]


def test_predict_samples_from_the_k_most_likely_tokens(model):
    tokenizer, plain = AutoTokenizer.from_pretrained(model), AutoModelForSeq2SeqLM.from_pretrained(model).eval()
    inputs = tokenizer(PASSAGES[0].text, return_tensors="pt")
    with torch.inference_mode():
        logits = plain(**inputs, decoder_input_ids=torch.tensor([[plain.config.decoder_start_token_id]])).logits[0, -1]
    top = (logits / 0.8).topk(3)
    expected = {
        tokenizer.decode([token]).strip(): share
        for token, share in zip(top.indices.tolist(), top.values.softmax(-1).tolist(), strict=True)
    }
    drawn = Counter(predicted(model, PASSAGES[:1], per_passage=3000, top_k=3, temperature=0.8, max_new_tokens=1)["p1"])
    assert set(drawn) == set(expected)
    for text, share in expected.items():
        assert drawn[text] / 3000 == pytest.approx(share, abs=0.03)  # three standard errors


def test_predict_reads_max_length_tokens(model):
    cut = [Passage("p", "Bees dance to eat. The model does not read the rest.")]
    other = [Passage("p", "Bees dance to eat. This passage has another and longer rest.")]
    assert Predictor(settings(max_length=5), model).lengths([*cut, *other]) == [5, 5]
    greedy = {"top_k": 1, "max_length": 5}
    assert predicted(model, cut, **greedy) == predicted(model, other, **greedy)
    assert predicted(model, cut, top_k=1) != predicted(model, other, top_k=1)


def test_predict_ignores_the_models_generation_config(model, tmp_path):
    for path in model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    own = json.loads((tmp_path / "generation_config.json").read_text())
    (tmp_path / "generation_config.json").write_text(json.dumps({**own, "num_beams": 3, "repetition_penalty": 9.0}))
    assert predicted(tmp_path, PASSAGES) == predicted(model, PASSAGES)


def gather(folder, model, paths):
    gather_predicted_queries(spec=folder / "d2q.yaml", model=model, sampled=folder / "sampled.jsonl", shards=paths,
                             raw=folder / "raw.jsonl", sampling=folder / "sampling.json")  # fmt: skip


@pytest.fixture
def run_step(tmp_path, model):
    def do(passages=PASSAGES, held_out=(), folder=model, shards=1, **changed):
        spec, sampled = tmp_path / "d2q.yaml", tmp_path / "sampled.jsonl"
        spec.write_text(settings(**changed).model_dump_json())
        write_jsonl(tmp_path / "p.jsonl", passages)
        exclude(tmp_path, held_out)
        sample_passages(spec=spec, passages=tmp_path / "p.jsonl", excluded=tmp_path / "excluded.txt", sampled=sampled)
        paths = [tmp_path / f"shards/{number}-of-{shards}.jsonl" for number in range(1, shards + 1)]
        for path in paths:
            predict_queries(spec=spec, model=folder, sampled=sampled, shard=path.stem, queries=path)
        gather(tmp_path, folder, paths)
        return list(read_jsonl(tmp_path / "raw.jsonl", Query)), json.loads((tmp_path / "sampling.json").read_text())

    return do


def test_predicted_queries_are_in_the_seeded_order_of_their_passages(run_step, model):
    order = shuffle([passage.id for passage in PASSAGES], 13)
    texts = predicted(model, PASSAGES, per_passage=2)
    expected = [Query(f"d2q:{name}:{n}", texts[name][n - 1], name) for name in order for n in (1, 2)]
    for count in (1, 2, 5, 10, 50):
        queries, sampling = run_step(per_passage=2, count=count)
        assert queries == expected[:count]
        assert sampling["passages"] == min(5, (count + 1) // 2)


@pytest.mark.parametrize("count", [10, 3])
def test_any_number_of_shards_gives_the_same_files(run_step, tmp_path, monkeypatch, count):
    opened = []
    start = Predictor.__init__
    monkeypatch.setattr(Predictor, "__init__", lambda self, *how: opened.append(1) or start(self, *how))
    made = {}
    for shards in (1, 3, 7):
        opened.clear()
        run_step(per_passage=2, count=count, shards=shards)
        made[shards] = [(tmp_path / name).read_bytes() for name in ("raw.jsonl", "sampling.json")]
        assert len(opened) == min(shards, 5, (count + 1) // 2), "an empty shard needs no model"
    assert made[1] == made[3] == made[7]


def test_gather_predicted_queries_names_an_invalid_shard(run_step, model, tmp_path):
    run_step(shards=3)
    paths = [tmp_path / f"shards/{number}-of-3.jsonl" for number in (1, 2, 3)]
    with pytest.raises(ShardError, match=r"3-of-3\.jsonl: contains p\d in place of p\d; delete it and run again"):
        gather(tmp_path, model, [paths[0], paths[2], paths[1]])
    paths[2].write_text(paths[2].read_text().split("\n", 1)[1])
    with pytest.raises(
        ShardError, match=r"3-of-3\.jsonl: 1 rows; expected 2 for shard 3 of 3 of 5 rows; delete it and run again"
    ):
        gather(tmp_path, model, paths)


def test_gather_predicted_queries_writes_model_and_sampling(run_step):
    _, sampling = run_step(count=2, top_k=7)
    assert sampling == {
        "kind": "doc2query", "model": "t5", "seed": 13, "per_passage": 1, "top_k": 7, "temperature": 1.0,
        "max_new_tokens": 8, "max_length": 512, "dtype": "float32", "batch_size": 3,
        "weights": {"model.safetensors": "f" * 64}, "passages": 2, "empty": 0,
    }  # fmt: skip


def test_held_out_answers_and_empty_passages_are_not_sampled(run_step):
    held_out = [Judgment("t", "p1", 1), Judgment("t", "p2", 0)]
    queries, _ = run_step([*PASSAGES, Passage("p6", "  ")], held_out)
    assert {query.source for query in queries} == {"p2", "p3", "p4", "p5"}


def test_empty_predictions_are_left_out_and_counted(run_step, monkeypatch):
    monkeypatch.setattr(Predictor, "predict", lambda self, passages: ((item, ["", item.id]) for item in passages))
    queries, sampling = run_step(per_passage=2)
    assert {query.id for query in queries} == {f"d2q:p{number}:2" for number in range(1, 6)}
    assert sampling["empty"] == 5
    monkeypatch.setattr(Predictor, "predict", lambda self, passages: ((item, [""]) for item in passages))
    with pytest.raises(BudgetError, match="t5 predicted only empty queries from 5 passages"):
        run_step()


def test_a_folder_without_a_sequence_to_sequence_model_is_named(run_step, model, tmp_path):
    run_step()
    with pytest.raises(
        ModelError, match=r"source\.json: no such file; expected a model folder that unpack_model writes"
    ):
        gather(tmp_path, tmp_path / "nowhere", [tmp_path / "shards/1-of-1.jsonl"])
    with pytest.raises(ModelError, match=r"nowhere: no model \(config\.json is missing\)"):
        run_step(folder=tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r": no model \(config\.json is missing\)"):
        Predictor(settings(), tmp_path)
    llm = tiny_llm(tmp_path / "llm")
    with pytest.raises(ModelError, match="llama is not a sequence-to-sequence model; use a docT5query model"):
        Predictor(settings(), llm)


def test_the_tiny_t5_has_the_tokens_that_rankers_need(model):
    tokenizer = AutoTokenizer.from_pretrained(model)
    ids = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in ("true", "false")]
    assert [len(item) for item in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert tokenizer.unk_token_id not in (*ids[0], *ids[1])
    assert tokenizer.convert_tokens_to_ids("<extra_id_10>") == len(tokenizer) - 11
