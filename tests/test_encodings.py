"""Vectors in the folders of shards: the same whatever their number, and refused where they are not what they should."""

import json

import numpy as np
import pytest

from synthrank import encodings
from synthrank.encodings import Encodings, read_encodings, write_encodings
from synthrank.errors import DataError, ModelError, ShardError
from synthrank.shards import Shard

ROWS = [(name, str(place)) for place, name in enumerate(["007", "a\nb", "NA", "ünd", "", "1e3", '"', "x", "y", "z"])]


@pytest.fixture(autouse=True)
def few_together(monkeypatch):
    monkeypatch.setattr(encodings, "TOGETHER", 4)


def encode(texts):
    """Give a text a vector that tells with how many others it was encoded."""
    return np.array([[float(text), len(texts), 1 / 3] for text in texts], dtype=np.float32)


def written(folder, of, dtype="float32", rows=ROWS, total=None):
    parts = [folder / f"{number}-of-{of}" for number in range(1, of + 1)]
    for number, part in enumerate(parts, 1):
        write_encodings(encode, iter(rows), total or len(rows), part, dtype, shard=Shard(number, of))
    return parts


@pytest.mark.parametrize("of", [1, 2, 3, 4, 12])
def test_shards_concatenated_are_the_whole(tmp_path, of):
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


def test_halves_are_stored_as_numpy_rounds_them(tmp_path):
    whole = Encodings(written(tmp_path, 2, "float16"), len(ROWS))
    (_, block), *_ = whole.blocks(10)
    assert (whole.dtype, block.dtype) == ("float16", np.float32)
    assert np.array_equal(block[:, 2], np.full(10, 1 / 3).astype(np.float16).astype(np.float32))


def test_a_collection_may_be_empty(tmp_path):
    whole = Encodings(written(tmp_path, 2, rows=[]), 0)
    assert (len(whole), list(whole.ids()), list(whole.blocks(5))) == (0, [], [])


def test_a_shard_with_other_rows_is_named(tmp_path):
    parts = written(tmp_path, 2)
    with pytest.raises(ShardError, match=r"1-of-2: 4 rows; shard 1 of 2 of 17 has 8: delete it, run again"):
        Encodings(parts, 17)
    with pytest.raises(ShardError, match=r"2-of-2: 6 rows; shard 1 of 2 of 10 has 4"):
        Encodings(parts[::-1], 10)
    with pytest.raises(DataError, match=r"shard 1-of-1: 10 passages of 11"):
        write_encodings(encode, ROWS, 11, tmp_path / "short", shard=Shard(1, 1))


@pytest.mark.parametrize(("dtype", "text", "name"), [("float16", "1e5", "p"), ("float32", "nan", "p")])
def test_a_vector_that_cannot_be_stored_is_named(tmp_path, dtype, text, name):
    with pytest.raises(ModelError, match=rf"passage {name}: its vector is not finite as {dtype}"):
        write_encodings(encode, [("o", "1"), (name, text)], 2, tmp_path / "v", dtype, shard=Shard(1, 1))


def test_what_another_version_made_is_refused_in_one_line(tmp_path):
    (part,) = written(tmp_path, 1)
    form = json.loads((part / "encodings.json").read_text())
    (part / "encodings.json").write_text(json.dumps(form | {"format": 99}))
    with pytest.raises(
        DataError, match=r"^\S+1-of-1: made by another version, format 99; this one reads 1: delete it$"
    ):
        Encodings([part], 10)
    (part / "encodings.json").unlink()
    with pytest.raises(DataError, match=r"^\S+1-of-1: has no encodings.json; another version made it"):
        read_encodings(part)


def test_what_does_not_fit_together_is_refused(tmp_path):
    parts = written(tmp_path, 2)
    (tmp_path / "h").mkdir()
    halves = written(tmp_path / "h", 2, "float16")
    with pytest.raises(DataError, match="shards have 3 dimensions as float16 and 3 dimensions as float32"):
        Encodings([parts[0], halves[1]], 10)
    (parts[0] / "ids.jsonl").write_text('"a"\n')
    with pytest.raises(DataError, match=r"ids.jsonl: 1 ids of 4 vectors"):
        Encodings(parts, 10)
    np.save(parts[1] / "vectors.npy", np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"vectors.npy: .* is not what encodings.json says"):
        Encodings(parts, 10)
