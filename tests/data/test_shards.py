"""Shards: their concatenation is all rows."""

from pathlib import Path

import pytest

from synthrank.data.shards import Shard, check_shards
from synthrank.errors import ConfigError, ShardError


@pytest.mark.parametrize("of", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("total", [0, 1, 6, 7, 8, 300])
def test_take_of_all_shards_gives_all_rows_in_nearly_equal_sizes(total: int, of: int) -> None:
    shards = [list(Shard(number, of).take(range(1000), total)) for number in range(1, of + 1)]
    assert [row for shard in shards for row in shard] == list(range(total))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_rows_keeps_units_together(of: int) -> None:
    for total in (0, 1, 6, 7, 300):
        shards = [Shard(number, of).rows(total, 3) for number in range(1, of + 1)]
        assert [row for shard in shards for row in shard] == list(range(total))
        assert all(shard.start % 3 == 0 for shard in shards if shard)


def test_parse_reads_the_names_of_snakemake() -> None:
    assert Shard.parse("2-of-4") == Shard(2, 4)
    assert str(Shard(2, 4)) == "2-of-4"


@pytest.mark.parametrize("name", ["", "2", "0-of-4", "5-of-4", "2-of-0", "a-of-b", "2-of-4 "])
def test_parse_refuses_other_names(name: str) -> None:
    with pytest.raises(ConfigError, match="expected a name such as 2-of-4"):
        Shard.parse(name)


def test_check_shards_names_a_short_shard() -> None:
    whole = [(Path("1-of-2"), 2), (Path("2-of-2"), 3)]
    check_shards(whole, 5)
    with pytest.raises(
        ShardError, match=r"^1-of-2: 2 rows; expected 3 for shard 1 of 2 of 7 rows; delete it and run again$"
    ):
        check_shards(whole, 7)
