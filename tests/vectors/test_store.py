"""Vectors in folders of shards: independent of the number of shards, and refused if they are damaged."""

import json

import numpy as np
import pytest

from synthrank.data.shards import Shard
from synthrank.errors import DataError, ModelError, ShardError
from synthrank.vectors import store as encodings
from synthrank.vectors.store import Encodings, read_encodings, write_encodings

ROWS = [(name, str(place)) for place, name in enumerate(["007", "a\nb", "NA", "ünd", "", "1e3", '"', "x", "y", "z"])]


@pytest.fixture(autouse=True)
def few_together(monkeypatch):
    monkeypatch.setattr(encodings, "TOGETHER", 4)


def encode(texts):
    """Return vectors that contain the number of texts per call."""
    return np.array([[float(text), len(texts), 1 / 3] for text in texts], dtype=np.float32)


def written(folder, of, dtype="float32", rows=ROWS, total=None):
    parts = [folder / f"{number}-of-{of}" for number in range(1, of + 1)]
    for number, part in enumerate(parts, 1):
        write_encodings(encode, iter(rows), total or len(rows), part, dtype, shard=Shard(number, of))
    return parts


@pytest.mark.parametrize("of", [1, 2, 3, 4, 12])
def test_encodings_of_shards_equal_those_of_one_job(tmp_path, of):
    whole = Encodings(written(tmp_path, of), len(ROWS))
    assert (len(whole), whole.dimensions, whole.dtype) == (10, 3, "float32")
    assert list(whole.ids()) == [name for name, _ in ROWS] == [whole.id(place) for place in range(10)]
    expected = np.concatenate([encode([text for _, text in ROWS[start : start + 4]]) for start in (0, 4, 8)])
    assert np.array_equal(whole.stored(0, 10), expected)
    assert [(start, len(block)) for start, block in whole.blocks(3)] == [(0, 3), (3, 3), (6, 3), (9, 1)]
    assert np.array_equal(np.concatenate([block for _, block in whole.blocks(3)]), expected)
    assert np.array_equal(whole.at([9, 0, 5]), expected[[9, 0, 5]])
    with pytest.raises(IndexError):
        whole.id(10)
    whole.copy(tmp_path / "copy")
    copy = read_encodings(tmp_path / "copy")
    assert list(copy.ids()) == list(whole.ids())
    assert np.array_equal(copy.stored(0, 10), expected)


def test_write_encodings_rounds_float16_like_numpy(tmp_path):
    whole = Encodings(written(tmp_path, 2, "float16"), len(ROWS))
    (_, block), *_ = whole.blocks(10)
    assert (whole.dtype, block.dtype) == ("float16", np.float32)
    assert np.array_equal(block[:, 2], np.full(10, 1 / 3).astype(np.float16).astype(np.float32))


def test_write_encodings_accepts_an_empty_corpus(tmp_path):
    whole = Encodings(written(tmp_path, 2, rows=[]), 0)
    assert (len(whole), list(whole.ids()), list(whole.blocks(5))) == (0, [], [])


def test_encodings_name_a_shard_with_other_rows(tmp_path):
    parts = written(tmp_path, 2)
    with pytest.raises(
        ShardError, match=r"1-of-2: 4 rows; expected 8 for shard 1 of 2 of 17 rows; delete it and run again"
    ):
        Encodings(parts, 17)
    with pytest.raises(ShardError, match=r"2-of-2: 6 rows; expected 4 for shard 1 of 2 of 10 rows"):
        Encodings(parts[::-1], 10)
    with pytest.raises(DataError, match=r"shard 1-of-1: 10 passages; expected 11"):
        write_encodings(encode, ROWS, 11, tmp_path / "short", shard=Shard(1, 1))


@pytest.mark.parametrize(("dtype", "text", "name"), [("float16", "1e5", "p"), ("float32", "nan", "p")])
def test_write_encodings_names_a_vector_that_is_not_finite(tmp_path, dtype, text, name):
    with pytest.raises(ModelError, match=rf"passage {name}: the vector is not finite as {dtype}"):
        write_encodings(encode, [("o", "1"), (name, text)], 2, tmp_path / "v", dtype, shard=Shard(1, 1))


def test_read_encodings_refuses_another_version(tmp_path):
    (part,) = written(tmp_path, 1)
    form = json.loads((part / "encodings.json").read_text())
    (part / "encodings.json").write_text(json.dumps(form | {"format": 99}))
    with pytest.raises(DataError, match=r"^\S+1-of-1: has format 99; this version reads 1: delete it$"):
        Encodings([part], 10)
    (part / "encodings.json").unlink()
    with pytest.raises(DataError, match=r"^\S+1-of-1: has no encodings.json; another version or step wrote it"):
        read_encodings(part)


def test_encodings_refuse_inconsistent_shards(tmp_path):
    parts = written(tmp_path, 2)
    (tmp_path / "h").mkdir()
    halves = written(tmp_path / "h", 2, "float16")
    with pytest.raises(DataError, match="shards have 3 dimensions as float16 and 3 dimensions as float32"):
        Encodings([parts[0], halves[1]], 10)
    (parts[0] / "ids.jsonl").write_text('"a"\n')
    with pytest.raises(DataError, match=r"ids.jsonl: 1 ids of 4 vectors"):
        Encodings(parts, 10)
    np.save(parts[1] / "vectors.npy", np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"vectors.npy: .* differs from encodings.json"):
        Encodings(parts, 10)
