import math
import re

import pytest

from synthrank.config.llms import EchoLlm, LocalLlm, Sampling
from synthrank.data.records import Message, Request
from synthrank.errors import ModelError
from synthrank.llms import open_llm


def echo(**sampling):
    return open_llm(EchoLlm(backend="echo", sampling=Sampling(**sampling)), None)


def request(query="why do bees dance", sample=0):
    messages = (
        Message("system", "You write passages."),
        Message("user", f"Question: {query}\nWrite one passage that answers it."),
    )
    return Request(f"q-{query[:3]}", query, messages, sample=sample)


def words(text):
    return re.findall(r"\w+", text.lower())


def test_echo_replies_with_three_sentences_of_the_requests_words():
    (reply,) = echo().generate([request()])
    assert reply.text.count(".") == 3
    assert len(words(reply.text)) == 36
    assert set(words(reply.text)) <= set(words(request().messages[-1].content))
    assert set(words(reply.text)[:4]) == {"why", "do", "bees", "dance"}


def test_echo_replies_contain_model_and_sampling():
    (reply,) = echo(temperature=0.5, seed=4).generate([request(sample=2)])
    assert (reply.query_id, reply.query, reply.sample) == ("q-why", "why do bees dance", 2)
    assert (reply.model, reply.finish_reason, reply.tokens_in, reply.tokens_out) == ("echo", "stop", 14, 36)
    assert reply.sampling == {"temperature": 0.5, "top_p": 1.0, "max_new_tokens": 256, "seed": 4}
    assert reply.messages == request().messages


def test_echo_replies_are_in_order_and_independent_of_the_batch():
    requests = [request("why do bees dance"), request("how is bread made"), request("where do storks fly")]
    together = list(echo().generate(requests))
    assert [reply.query for reply in together] == [item.query for item in requests]
    assert together == [next(echo().generate([item])) for item in requests]


def test_echo_replies_depend_on_sample_and_seed():
    texts = {next(echo(seed=seed).generate([request(sample=sample)])).text for seed in (0, 1) for sample in (0, 1)}
    assert len(texts) == 4


def test_echo_cuts_a_reply_at_max_new_tokens():
    (reply,) = echo(max_new_tokens=20).generate([request()])
    assert (reply.finish_reason, reply.tokens_out, len(words(reply.text))) == ("length", 20, 20)


def test_echo_replies_to_long_and_empty_queries():
    long, empty = echo().generate([request("word " * 100), Request("q0", "", (Message("user", ""),))])
    assert len(words(long.text)) == len(words(empty.text)) == 36


def test_echo_scores_words_of_the_messages_higher():
    messages = (Message("user", "Bees dance."),)
    seen, unseen, nothing = echo().score([(messages, "bees dance"), (messages, "bees fly"), (messages, "")])
    assert seen == pytest.approx(2 * math.log(0.1))
    assert unseen == pytest.approx(math.log(0.1) + math.log(0.001))
    assert nothing == 0.0


def test_a_local_model_without_a_folder_is_refused():
    with pytest.raises(ModelError, match=r"tiny: .*config/models/tiny\.yaml"):
        open_llm(LocalLlm(backend="local", model="tiny"), None)
