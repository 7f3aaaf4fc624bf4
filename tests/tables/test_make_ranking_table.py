"""The table of rankings, from what pooling and ranking leave behind."""

import csv
import json

import pytest

from synthrank.errors import DataError
from synthrank.files import write_json
from synthrank.ordering.asking import Outcome
from synthrank.ordering.counting import Account
from synthrank.rankings.pool_tally import PoolTally
from synthrank.records import Ask, Pool, Pooled
from synthrank.tables.make_ranking_table import make_ranking_table


def pooled(depth, sizes):
    tally = PoolTally(["bm25"], depth)
    for size in sizes:
        tally.searched([size == 0], None)
        tally.pooled({str(place): 0 for place in range(size)}, [{str(place): place + 1 for place in range(size)}])
    return tally.stats()


def ranked(name, llm):
    """Return counts of three queries: one repaired, one asked twice and dropped, one with a single candidate."""
    account = Account()
    asks = {
        "a": [("well-formed", ()), ("repaired", ("form", "missing"))],
        "b": [("malformed", ("no number of the window",)), ("malformed", ("blocked",))],
        "c": [],
    }
    for query, said in asks.items():
        pool = Pool(query, "why", tuple(Pooled(str(place), {}) for place in range(3)))
        made = tuple(
            Ask(query, step, ("0", "1"), "", status, notes, key=f"{query}{step}", tokens_in=100, tokens_out=7,
                price_usd=0.0005)
            for step, (status, notes) in enumerate(said)
        )  # fmt: skip
        outcome = Outcome(pool, ("0", "1", "2"), made, min(1, len(made)), int(query == "b"), (f"{llm}-1",))
        account.add(outcome, query == "b")
    names = {"ranking": name, "kind": "listwise", "prompt": "rank-listwise", "llm": llm}
    return {**names, **account.as_dict(), "cut_passages": 4, "empty_passages": 1}


@pytest.fixture
def files(tmp_path):
    """Write two rankings of one pool, and return their files and the pool's, once for each."""
    pool = tmp_path / "rankings" / "moss" / "crops@raw" / "top30"
    write_json(pool / "stats.json", pooled(3, [3, 2, 0]))
    counts = []
    for llm in ("echo", "gpt"):
        counts.append(pool / "windows" / llm / "counts.json")
        write_json(counts[-1], ranked("windows", llm))
    return counts, [pool / "stats.json"] * 2


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_is_told_of_a_ranking(files, tmp_path):
    counts, pools = files
    make_ranking_table(counts=counts, pools=pools, table=tmp_path / "t.csv")
    first, second = rows(tmp_path / "t.csv")
    told = {
        "corpus": "moss", "queryset": "crops@raw", "pool": "top30", "ranking": "windows", "kind": "listwise",
        "llm": "echo", "prompt": "rank-listwise", "snapshots": "echo-1", "pools": "2", "short_pools": "1",
        "queries": "3", "ordered": "2", "dropped": "1", "unasked": "1", "candidates": "9", "questions": "2",
        "unanswered": "1", "asks": "4", "well_formed": "1", "repaired": "1", "malformed": "2", "form": "1",
        "missing": "1", "repeated": "0", "outside": "0", "truncated": "0", "blocked": "1", "cut_passages": "4",
        "empty_passages": "1", "tokens_in": "400", "tokens_out": "28", "price_usd": "0.002000",
    }  # fmt: skip
    assert first == told
    assert second == {**told, "llm": "gpt", "snapshots": "gpt-1"}


def test_no_ranking_is_an_empty_table(tmp_path):
    make_ranking_table(counts=[], pools=[], table=tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    assert text.startswith("corpus,queryset,pool,ranking,")
    assert text.count("\n") == 1


def test_a_file_of_something_else_is_one_line(files, tmp_path):
    counts, pools = files
    told = json.loads(counts[1].read_text())
    del told["unanswered"]
    counts[1].write_text(json.dumps(told))
    with pytest.raises(DataError, match=r"gpt/counts\.json: not the counts of a ranking, or .* \('unanswered'\)$"):
        make_ranking_table(counts=counts, pools=pools, table=tmp_path / "t.csv")
    for text in ("[]", "{", ""):
        counts[1].write_text(text)
        with pytest.raises(DataError, match=r"^\S+gpt/counts\.json: "):
            make_ranking_table(counts=counts, pools=pools, table=tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
