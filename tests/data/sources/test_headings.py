"""Headings of documentation as queries, and the prose under them as passages."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synthrank.config.corpora import HeadingCorpus
from synthrank.data.records import Judgment, Query
from synthrank.data.sources import open_source
from synthrank.data.sources.headings import HeadingSource
from synthrank.errors import DataError

ORIGIN = Path("config/corpora/demo.yaml")


def words(start: str, count: int) -> str:
    return f"{start} " + " ".join(f"w{number}" for number in range(count - 2)) + " end."


GUIDE = f"""\
Guide
=====

{words("Intro", 30)}

Write a first test
------------------

{words("One", 30)}

{words("Two", 30)}

{words("Three", 30)}

Signals
-------

{words("Signal", 30)}

Overview
--------

{words("Over", 30)}

Ask once and again
------------------

Short.

Tell it twice over
------------------

{words("First", 30)}

Tell it: twice over
-------------------

{words("Second", 30)}

See w1 and w2
-------------

{words("See and", 30)}

Copied from the test
--------------------

{words("Signal", 30)}
"""


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    (tmp_path / "demo" / "docs").mkdir(parents=True)
    (tmp_path / "demo" / "docs" / "guide.rst").write_text(GUIDE)
    (tmp_path / "demo" / "docs" / "faq.rst").write_text(GUIDE.replace("Write a first test", "Ask a first question"))
    return tmp_path


def corpus(**settings: Any) -> HeadingCorpus:
    archive = {
        "package": "demo",
        "version": "1",
        "sha256": "0" * 64,
        "docs": ["docs/*.rst"],
        "faq": ["docs/faq.rst"],
    }
    base = {"source": "headings", "archives": [archive], "max_words": 60, "splits": {"train": 1.0}}
    return HeadingCorpus.model_validate({**base, **settings})


def source(archives: Path, **settings: Any) -> HeadingSource:
    opened = open_source(corpus(**settings), ORIGIN, archives)
    assert isinstance(opened, HeadingSource)
    return opened


def test_heading_source_has_all_prose_and_judges_the_first_part_relevant(archives: Path) -> None:
    opened = source(archives)
    passages = {passage.id: passage for passage in opened.passages()}
    assert list(passages) == [
        "demo/guide#guide", "demo/guide#write-a-first-test", "demo/guide#write-a-first-test-2", "demo/guide#signals",
        "demo/guide#overview", "demo/guide#tell-it-twice-over", "demo/guide#tell-it-twice-over-2",
        "demo/guide#see-w1-and-w2",
    ]  # fmt: skip
    queries, judgments = opened.queries("train")
    assert queries[0] == Query("demo/guide?write-a-first-test", "Write a first test")
    assert judgments[0] == Judgment("demo/guide?write-a-first-test", "demo/guide#write-a-first-test", 1)
    assert passages["demo/guide#write-a-first-test"].text == f"{words('One', 30)} {words('Two', 30)}"
    assert passages["demo/guide#write-a-first-test-2"].text == words("Three", 30)


def test_queries_of_short_headings_start_with_the_title_of_the_page(archives: Path) -> None:
    assert [query.text for query in source(archives, min_heading_words=2).queries("train")[0]] == [
        "Write a first test",
        "Guide: Signals",
        "Copied from the test",
    ]
    assert [query.text for query in source(archives).queries("train")[0]] == [
        "Write a first test",
        "Copied from the test",
    ]


def test_report_counts_dropped_headings(archives: Path) -> None:
    assert source(archives).report() == {
        "demo": {
            "duplicate passages": 1,
            "generic headings": 1,
            "headings": 9,
            "headings of the passage's own words": 1,
            "headings that repeat": 2,
            "headings too short": 2,
            "headings without a passage": 1,
            "passages too short or long": 1,
            "queries": 2,
            "queries left out by the limit": 0,
        }
    }


def test_queries_of_headings_with_equal_text_share_a_passage(archives: Path) -> None:
    queries, judgments = source(archives, min_heading_words=2).queries("train")
    assert {item.passage_id for item in judgments[1:]} == {"demo/guide#signals"}
    assert len({query.id for query in queries}) == 3


def test_heading_source_without_a_query_is_refused(archives: Path) -> None:
    with pytest.raises(DataError, match=r"demo\.yaml: no heading with prose under it can be a query; widen the globs"):
        source(archives, min_heading_words=9)


def test_heading_corpus_refuses_shares_that_do_not_sum_to_one() -> None:
    with pytest.raises(ValidationError, match=r"the shares of the splits sum to 0\.5; they must sum to 1"):
        corpus(splits={"train": 0.5})
