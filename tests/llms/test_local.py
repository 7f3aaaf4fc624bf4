import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_models import CHAT_TEMPLATE, tiny_llm
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from synthrank.config.llms import LocalLlm, Sampling
from synthrank.data.records import Message, Request
from synthrank.errors import ModelError
from synthrank.llms import identity_of, local, open_llm

QUERIES = [
    "How do I install the package?",
    "Why?",
    "What does the spider store when it follows links to every page that it has not seen before?",
    "Where are flowers in bloom?",
    "When are the settings read by the server, and when must it be restarted?",
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Use one thread: two are not faster with this small model, and wait for each other on busy cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_llm(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def tokenizer(folder):
    return AutoTokenizer.from_pretrained(folder)


def llm(folder, *, batch_size=4, temperature=1.0, top_p=1.0, max_new_tokens=12, seed=0, dtype="float32"):
    sampling = Sampling(temperature=temperature, top_p=top_p, max_new_tokens=max_new_tokens, seed=seed)
    return open_llm(
        LocalLlm(backend="local", model="tiny", sampling=sampling, dtype=dtype, batch_size=batch_size), folder
    )


def requests(count, sample=0):
    return [
        Request(f"q{number}", query, (Message("user", f"{query} ({number})"),), sample=sample)
        for number, query in zip(range(count), itertools.cycle(QUERIES), strict=False)
    ]


def prompt_text(request):
    return "".join(f"<|im_start|>{turn.role}\n{turn.content}<|im_end|>\n" for turn in request.messages) + (
        "<|im_start|>assistant\n"
    )


def test_generate_yields_replies_in_the_order_of_the_requests(folder):
    asked = requests(11)
    replies = list(llm(folder).generate(asked))
    assert [reply.query_id for reply in replies] == [request.query_id for request in asked]
    assert [reply.messages for reply in replies] == [request.messages for request in asked]


def test_generate_yields_a_window_before_it_starts_the_next(folder, monkeypatch):
    monkeypatch.setattr(local, "WINDOW", 2)
    model = llm(folder, batch_size=2, max_new_tokens=1)
    batches = []
    write = model._write
    monkeypatch.setattr(model, "_write", lambda *batch: batches.append(len(batch[0])) or write(*batch))
    replies = model.generate(requests(7))
    assert [next(replies).query_id for _ in range(4)] == ["q0", "q1", "q2", "q3"]
    assert batches == [2, 2]
    assert [reply.query_id for reply in replies] == ["q4", "q5", "q6"]
    assert batches == [2, 2, 2, 1]


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_generate_does_not_depend_on_the_batch(folder, temperature):
    asked = requests(9)
    together = list(llm(folder, batch_size=9, temperature=temperature, top_p=0.95).generate(asked))
    small = list(llm(folder, batch_size=2, temperature=temperature, top_p=0.95).generate(asked[::-1]))[::-1]
    alone = [next(llm(folder, temperature=temperature, top_p=0.95).generate([request])) for request in asked]
    assert together == small == alone


def test_generate_depends_on_seed_and_sample(folder):
    first = list(llm(folder, seed=1).generate(requests(5)))
    assert list(llm(folder, seed=1).generate(requests(5))) == first
    texts = [reply.text for reply in first]
    other_seed = [reply.text for reply in llm(folder, seed=2).generate(requests(5))]
    other_sample = [reply.text for reply in llm(folder, seed=1).generate(requests(5, sample=1))]
    assert not set(texts) & set(other_seed)
    assert not set(texts) & set(other_sample)


def test_generate_ignores_the_global_random_state(folder):
    torch.manual_seed(1)
    first = [reply.text for reply in llm(folder).generate(requests(3))]
    torch.manual_seed(2)
    assert [reply.text for reply in llm(folder).generate(requests(3))] == first


def test_generate_at_temperature_zero_is_greedy(folder, tokenizer):
    (request,) = requests(1)
    (reply,) = llm(folder, temperature=0.0, max_new_tokens=6).generate([request])
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer(prompt_text(request), return_tensors="pt")["input_ids"]
    for _ in range(6):
        with torch.inference_mode():
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], -1)
    assert reply.text == tokenizer.decode(ids[0, -6:], skip_special_tokens=True)


def test_generate_ignores_the_models_generation_config(folder, tmp_path):
    plain = list(llm(folder, temperature=0.0).generate(requests(3)))
    copy = tiny_llm(tmp_path / "copy")
    GenerationConfig(do_sample=True, top_k=1, repetition_penalty=5.0, eos_token_id=2).save_pretrained(copy)
    assert list(llm(copy, temperature=0.0).generate(requests(3))) == plain
    sampled = list(llm(folder).generate(requests(3)))
    assert list(llm(copy).generate(requests(3))) == sampled


def test_generate_returns_finish_reasons_and_token_counts(folder, tokenizer):
    asked = requests(30)
    replies = list(llm(folder, batch_size=8, max_new_tokens=40).generate(asked))
    stopped = [reply for reply in replies if reply.finish_reason == "stop"]
    cut = [reply for reply in replies if reply.finish_reason == "length"]
    assert stopped
    assert len(stopped) + len(cut) == 30
    assert all(reply.tokens_out <= 40 for reply in stopped)
    assert {reply.tokens_out for reply in cut} == {40}
    for request, reply in zip(asked, replies, strict=True):
        assert reply.tokens_in == len(tokenizer(prompt_text(request))["input_ids"])
        assert "<|" not in reply.text


def test_generate_counts_the_end_token(folder):
    replies = list(llm(folder, batch_size=8, max_new_tokens=40).generate(requests(30)))
    place = next(place for place, reply in enumerate(replies) if reply.finish_reason == "stop")
    exact, short = (
        next(llm(folder, max_new_tokens=replies[place].tokens_out - less).generate([requests(30)[place]]))
        for less in (0, 1)
    )
    assert (exact.finish_reason, exact.text, exact.tokens_out) == ("stop", replies[place].text, exact.tokens_out)
    # The end token counts, so with one token less the text is the same and the reply is cut.
    assert (short.finish_reason, short.text, short.tokens_out) == ("length", exact.text, exact.tokens_out - 1)


def test_local_replies_contain_model_and_sampling(folder):
    (reply,) = llm(folder, temperature=0.5, top_p=0.9, max_new_tokens=3, seed=8).generate(requests(1, sample=2))
    assert (reply.model, reply.query, reply.sample) == ("tiny", QUERIES[0], 2)
    assert reply.sampling == {"temperature": 0.5, "top_p": 0.9, "max_new_tokens": 3, "seed": 8}


def test_top_p_near_zero_is_greedy(folder):
    greedy = [reply.text for reply in llm(folder, temperature=0.0).generate(requests(4))]
    assert [reply.text for reply in llm(folder, temperature=1.0, top_p=0.01).generate(requests(4))] == greedy


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_score_is_the_sum_of_log_probabilities_in_any_batch(folder, tokenizer, batch_size):
    messages = [request.messages for request in requests(6)]
    texts = ["the package", "a spider follows links and stores every page", "x", "", "Bees dance.", "water and salt"]
    scores = llm(folder, batch_size=batch_size).score(list(zip(messages, texts, strict=True)))
    model = AutoModelForCausalLM.from_pretrained(folder)
    for request, text, score in zip(requests(6), texts, scores, strict=True):
        prompt = tokenizer(prompt_text(request))["input_ids"]
        target = tokenizer(text)["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([prompt + target])).logits[0].double().log_softmax(-1)
        by_hand = sum(logits[len(prompt) + place - 1, token].item() for place, token in enumerate(target))
        assert score == pytest.approx(by_hand, abs=1e-4)
    assert scores[3] == 0.0


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_score_encodes_shared_messages_once(folder, tokenizer, monkeypatch, batch_size):
    asked = [request.messages for request in requests(3)]
    texts = ["Bees dance.", "", "x", "a spider follows links and stores every page", "the", "x", "water and salt"]
    pairs = [(asked[place % 3], text) for place, text in enumerate(texts * 2)]
    model = llm(folder, batch_size=batch_size)
    fed = []
    forward = model._model.forward
    monkeypatch.setattr(model._model, "forward", lambda **how: fed.append(how) or forward(**how))
    scores = model.score(pairs)
    read = [how for how in fed if how.get("past_key_values") is None]
    assert sum(how["attention_mask"].sum().item() for how in read) == sum(
        len(tokenizer(prompt_text(request))["input_ids"]) for request in requests(3)
    )
    assert all(how["input_ids"].shape[0] <= batch_size for how in fed)
    plain = AutoModelForCausalLM.from_pretrained(folder)
    for (messages, text), score in zip(pairs, scores, strict=True):
        prompt = tokenizer(prompt_text(Request("", "", messages)))["input_ids"]
        target = tokenizer(text)["input_ids"]
        with torch.inference_mode():
            logits = plain(torch.tensor([prompt + target])).logits[0].double().log_softmax(-1)
        by_hand = sum(logits[len(prompt) + place - 1, token].item() for place, token in enumerate(target))
        assert score == pytest.approx(by_hand, abs=1e-4)


def test_score_of_one_token_needs_no_second_pass(folder, tokenizer, monkeypatch):
    model = llm(folder)
    passes = []
    forward = model._model.forward
    monkeypatch.setattr(model._model, "forward", lambda **how: passes.append(how) or forward(**how))
    letters = [text for text in "ABCDEF" if len(tokenizer(text)["input_ids"]) == 1]
    assert len(letters) > 2
    scores = model.score([(request.messages, text) for request in requests(2) for text in ["", *letters]])
    assert len(passes) == 1
    assert len(set(scores)) == 1 + 2 * len(letters)


def test_a_prompt_longer_than_the_context_is_refused_before_generation(folder, tmp_path, monkeypatch):
    model = llm(tiny_llm(tmp_path / "short", context=64), max_new_tokens=10)
    monkeypatch.setattr(model, "_write", lambda *_: pytest.fail("generation was started"))
    long = Request("q9", "long", (Message("user", "water " * 60),))
    with pytest.raises(ModelError, match=r"^query q9: the prompt of \d+ tokens plus 10 new .* 64 tokens; shorten"):
        next(model.generate([*requests(2), long]))
    with pytest.raises(ModelError, match=r"^pair 1: .* exceed the context of tiny, 64 tokens"):
        model.score([((Message("user", "Why?"),), "a"), (long.messages, "a")])


def test_a_prompt_that_exactly_fits_the_context_is_accepted(tmp_path, tokenizer):
    (request,) = requests(1)
    length = len(tokenizer(prompt_text(request))["input_ids"])
    (reply,) = llm(tiny_llm(tmp_path / "exact", context=length + 5), max_new_tokens=5).generate([request])
    assert reply.tokens_in + reply.tokens_out <= length + 5


def test_turns_refused_by_the_chat_template_are_named(tmp_path):
    folder = tiny_llm(tmp_path / "strict")
    (folder / "chat_template.jinja").write_text(
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}" + CHAT_TEMPLATE
    )
    with pytest.raises(ModelError, match=r"tiny: .*refuses the turns system, user \(no system turn\)"):
        llm(folder).score([((Message("system", "a"), Message("user", "b")), "c")])


def test_a_base_model_without_a_chat_template_is_refused(tmp_path):
    folder = tiny_llm(tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        llm(folder)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        llm(tmp_path)


def test_bfloat16_is_reproducible_and_finite(folder):
    first, second = (list(llm(folder, dtype="bfloat16").generate(requests(5))) for _ in range(2))
    assert first == second
    assert all(score < 0 for score in llm(folder, dtype="bfloat16").score([(requests(1)[0].messages, "bees")]))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_identity_of_loads_no_torch_and_keeps_libraries_offline(tmp_path, dtype):
    (tmp_path / "source.json").write_text(json.dumps({"weights": {"model.safetensors": "ab"}}))
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom synthrank.runtime import torch_setup\n"
        "from synthrank.llms import identity_of\nfrom synthrank.config.llms import LocalLlm\n"
        "torch_setup.GPUS, torch_setup.CPUINFO = [], Path(sys.argv[1], 'cpuinfo')\n"
        f"found = identity_of(LocalLlm(backend='local', model='tiny', dtype={dtype!r}), Path(sys.argv[1]))\n"
        "print(found['dtype'], os.environ['HF_HUB_OFFLINE'], *sorted({'torch', 'transformers'} & sys.modules.keys()))"
    )
    (tmp_path / "cpuinfo").write_text("flags\t: fpu avx512f avx512bw avx512dq avx512vl\n")
    environment = {"PYTHONPATH": str(Path(local.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{dtype} 1\n"


def test_generate_and_score_accept_empty_lists(folder):
    assert list(llm(folder).generate([])) == []
    assert llm(folder).score([]) == []


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_identity_of_changes_with_tokenizer_and_chat_template(tmp_path, name):
    (tmp_path / "source.json").write_text('{"weights": {"model.safetensors": "0"}}')
    (tmp_path / name).write_text("one")
    spec = LocalLlm(backend="local", model="tiny")
    before = identity_of(spec, tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert identity_of(spec, tmp_path) == before
    (tmp_path / name).write_text("two")
    assert identity_of(spec, tmp_path) != before
