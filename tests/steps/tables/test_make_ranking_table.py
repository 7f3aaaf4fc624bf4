"""The table of rankings, from the counts of pools and rankings."""

import csv
import json

import pytest

from synthrank.data.files import write_json
from synthrank.data.records import Ask, Pool, Pooled
from synthrank.errors import DataError
from synthrank.llms.reranking.questions import Outcome
from synthrank.llms.reranking.tally import Account
from synthrank.steps.rankings.pool_tally import PoolTally
from synthrank.steps.tables.make_ranking_table import make_ranking_table


def pooled(depth, sizes):
    tally = PoolTally(["bm25"], depth)
    for size in sizes:
        tally.count_search([size == 0], None)
        tally.count_pool({str(place): 0 for place in range(size)}, [{str(place): place + 1 for place in range(size)}])
    return tally.stats()


def ranked(name, llm):
    """Return counts of three queries: one repaired, one dropped after two requests, one with a single candidate."""
    account = Account()
    asks = {
        "a": [("well-formed", ()), ("repaired", ("form", "missing"))],
        "b": [("malformed", ("no number of the window",)), ("malformed", ("blocked",))],
        "c": [],
    }
    for query, replies in asks.items():
        pool = Pool(query, "why", tuple(Pooled(str(place), {}) for place in range(3)))
        made = tuple(
            Ask(query, step, ("0", "1"), "", status, notes, key=f"{query}{step}", tokens_in=100, tokens_out=7,
                price_usd=0.0005)
            for step, (status, notes) in enumerate(replies)
        )  # fmt: skip
        outcome = Outcome(pool, ("0", "1", "2"), made, min(1, len(made)), int(query == "b"), (f"{llm}-1",))
        account.add(outcome, query == "b")
    names = {"ranking": name, "kind": "listwise", "prompt": "rank-listwise", "llm": llm}
    return {**names, **account.as_dict(), "cut_passages": 4, "empty_passages": 1}


@pytest.fixture
def files(tmp_path):
    """Write two rankings of one pool; return their files and, per ranking, the file of the pool."""
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


def test_ranking_table_has_the_counts_of_pools_and_rankings(files, tmp_path):
    counts, pools = files
    make_ranking_table(counts=counts, pools=pools, table=tmp_path / "t.csv")
    first, second = rows(tmp_path / "t.csv")
    expected = {
        "corpus": "moss", "queryset": "crops@raw", "pool": "top30", "ranking": "windows", "kind": "listwise",
        "llm": "echo", "prompt": "rank-listwise", "snapshots": "echo-1", "pools": "2", "short_pools": "1",
        "queries": "3", "ordered": "2", "dropped": "1", "unasked": "1", "candidates": "9", "questions": "2",
        "unanswered": "1", "asks": "4", "well_formed": "1", "repaired": "1", "malformed": "2", "form": "1",
        "missing": "1", "repeated": "0", "outside": "0", "few": "0", "thought": "0", "truncated": "0", "blocked": "1",
        "cut_passages": "4", "empty_passages": "1", "tokens_in": "400", "tokens_out": "28", "price_usd": "0.002000",
    }  # fmt: skip
    assert first == expected
    assert second == {**expected, "llm": "gpt", "snapshots": "gpt-1"}


def test_ranking_table_without_rankings_has_only_a_header(tmp_path):
    make_ranking_table(counts=[], pools=[], table=tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    assert text.startswith("corpus,queryset,pool,ranking,")
    assert text.count("\n") == 1


def test_ranking_table_refuses_a_file_without_counts(files, tmp_path):
    counts, pools = files
    incomplete = json.loads(counts[1].read_text())
    del incomplete["unanswered"]
    counts[1].write_text(json.dumps(incomplete))
    with pytest.raises(DataError, match=r"gpt/counts\.json: not the counts of a ranking, or .* \('unanswered'\)$"):
        make_ranking_table(counts=counts, pools=pools, table=tmp_path / "t.csv")
    for text in ("[]", "{", ""):
        counts[1].write_text(text)
        with pytest.raises(DataError, match=r"^\S+gpt/counts\.json: "):
            make_ranking_table(counts=counts, pools=pools, table=tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
