"""Concatenated replies of several shards equal the file of a single job."""

import json

import pytest

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Message, Reply, Request
from synthrank.errors import ShardError
from synthrank.steps.passages import generate_passages as module
from synthrank.steps.passages.concatenate_replies import concatenate_replies
from synthrank.steps.passages.generate_passages import generate_passages

SCRIPT = {
    "a": ["one a x.", "two a x.", "three a x."],
    "b": ["one b x.", "ONE B x.", "", "two b x.", "three b\u2028x."],
    "c": ["", "", "", "", "", "late c ü."],
    "d": ["same d x."] * 6,
    "e": ["", "", "two e x.", "three e x.", "one e x."],
    "f": ["one f x.", "two f x.", "three f x."],
    "g": ["short", "one g x.", "two g x.", "three g x."],
}


class Fake:
    """Answers from the script, in reverse order."""

    def generate(self, requests):
        for request in reversed(requests):
            text = SCRIPT[request.query_id][request.sample]
            yield Reply(request.query_id, request.query, request.sample, text, "stop", 1, 1, "m",
                        {"top_p": 0.9, "seed": 13}, request.messages, price_usd=1e-7)  # fmt: skip


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Return a function that generates replies in a number of shards, and a function that concatenates them."""
    opened = []
    monkeypatch.setattr(module, "open_stored", lambda spec, model: opened.append(1) or Fake())

    def shards_of(queries, of, passages=3):
        names = list(SCRIPT)[:queries]
        requests = [Request(name, f"{name}?", (Message("user", f"\n{name}"),)) for name in names]
        write_jsonl(tmp_path / "requests.jsonl", requests)
        spec = {"kind": "generated", "prompt": "p", "passages": passages, "quality": {"min_words": 3, "attempts": 2}}
        (tmp_path / "p.yaml").write_text(json.dumps(spec))
        (tmp_path / "llm.yaml").write_text("backend: echo\n")
        paths = [tmp_path / f"shards/{number}-of-{of}.jsonl" for number in range(1, of + 1)]
        for path in paths:
            generate_passages(requests=tmp_path / "requests.jsonl", paradigm=tmp_path / "p.yaml",
                              llm=tmp_path / "llm.yaml", model=[], generation_draw=0,
                              shard=path.stem, replies=path)  # fmt: skip
        return paths

    def gathered(paths):
        concatenate_replies(requests=tmp_path / "requests.jsonl", paradigm=tmp_path / "p.yaml", shards=paths,
                       replies=tmp_path / "replies.jsonl")  # fmt: skip
        return (tmp_path / "replies.jsonl").read_bytes()

    return shards_of, gathered


@pytest.mark.parametrize("queries", [7, 3, 2, 0])
@pytest.mark.parametrize("passages", [1, 3])
def test_any_number_of_shards_gives_the_bytes_of_one_job(world, queries, passages):
    shards_of, gathered = world
    (whole,) = shards_of(queries, 1, passages)
    expected = whole.read_bytes()
    assert gathered([whole]) == expected
    for of in (2, 3, 9):
        paths = shards_of(queries, of, passages)
        assert gathered(paths) == expected
        assert len([path for path in paths if path.stat().st_size == 0]) == max(0, of - queries)


def test_concatenate_replies_orders_by_round(world, tmp_path):
    shards_of, gathered = world
    gathered(shards_of(7, 3))
    asks = [(reply.query_id, reply.sample) for reply in read_jsonl(tmp_path / "replies.jsonl", Reply)]
    first = [(name, sample) for name in SCRIPT for sample in range(3)]
    second = [("b", 3), ("b", 4), ("c", 3), ("c", 4), ("c", 5), ("d", 3), ("d", 4), ("e", 3), ("e", 4), ("g", 3)]
    assert asks == [*first, *second, ("d", 5)]


def test_concatenate_replies_names_an_invalid_shard(world, tmp_path):
    shards_of, gathered = world
    paths = shards_of(7, 3)
    before = gathered(paths)
    whole = paths[1].read_text().splitlines(keepends=True)
    assert [json.loads(line)["query_id"] for line in whole][:7] == list("cccdddc")

    def refused(lines):
        paths[1].write_text("".join(lines))
        with pytest.raises(ShardError) as error:
            gathered(paths)
        return str(error.value).removeprefix(str(paths[1]))

    end = "; delete the file and run again"
    assert refused(line for line in whole if '"d"' not in line) == f": reply 0 to query d is missing{end}"
    assert refused(whole[:-1]) == f": reply 5 to query d is missing{end}"
    assert refused([*whole[:1], *whole[2:]]) == f": reply 1 to query c is missing{end}"
    assert refused([*whole, whole[-1]]) == f": more than the 12 expected replies{end}"
    assert refused(line.replace('"query_id": "c"', '"query_id": "x"') for line in whole) == (
        f": reply 0 to query c is missing{end}"
    )
    assert (tmp_path / "replies.jsonl").read_bytes() == before
    paths[1].write_text("".join(whole))
    with pytest.raises(ShardError, match=r"2-of-3\.jsonl: reply 0 to query a is missing; delete the file and run"):
        gathered([paths[1], paths[0], paths[2]])
