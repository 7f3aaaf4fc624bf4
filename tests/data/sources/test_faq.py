"""Questions, answers and distractors of documentation."""

from pathlib import Path
from typing import Any

import pytest

from synthrank.config.corpora import FaqCorpus
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sources import open_source
from synthrank.data.sources.documentation import RelevantPair, cut_between_blocks, split_pairs
from synthrank.data.sources.faq import FaqSource, answer_text, questions
from synthrank.data.sources.rst import RstSection
from synthrank.errors import ConfigError, DataError

ORIGIN = Path("config/corpora/demo.yaml")


def words(start: str, count: int) -> str:
    return f"{start} " + " ".join(f"w{number}" for number in range(count - 2)) + " end."


FAQ = f"""\
====
FAQs
====

{words("Welcome", 30)}

General
=======

What is it?
-----------

**Answer:** {words("It", 30)}

::

    code()

- {words("Item", 20)}

Is it good?
-----------

Yes.

Where is more?
--------------

See the tutorial, the guide, the reference, the wiki, the list, the forum, the tracker, the source, the
changelog, the book and all the other places that we are too tired to name in this answer here.

It crashes!
===========

{words("Same", 30)}

Why does it crash?
==================

{words("Same", 30)}

How?
====

{words("First", 50)}

Long part
---------

{words("Second", 50)}
"""
GUIDE = f"""\
Guide
=====

{words("Intro", 30)}

Usage
-----

{words("One", 30)}

{words("Two", 30)}

{words("Three", 30)}

Usage
-----

Short.

Again
-----

{words("Same", 30)}
"""


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    for path, text in {"docs/faq/index.rst": FAQ, "docs/guide.rst": GUIDE, "docs/not.txt": "x"}.items():
        (tmp_path / "demo" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "demo" / path).write_text(text)
    return tmp_path


def corpus(**settings: Any) -> FaqCorpus:
    archive = {
        "package": "demo",
        "version": "1",
        "sha256": "0" * 64,
        "docs": ["docs/*.rst"],
        "faq": ["docs/faq/*.rst"],
    }
    base = {"source": "faq", "archives": [archive], "max_words": 60, "splits": {"train": 0.5, "test": 0.5}}
    return FaqCorpus.model_validate({**base, **settings})


def source(archives: Path, **settings: Any) -> FaqSource:
    opened = open_source(corpus(**settings), ORIGIN, archives)
    assert isinstance(opened, FaqSource)
    return opened


def test_passages_yields_answers_before_distractors(archives: Path) -> None:
    passages = list(source(archives).passages())
    assert [(passage.id, passage.title) for passage in passages] == [
        ("demo/faq/index#what-is-it", "FAQs"),
        ("demo/faq/index#it-crashes", "FAQs"),
        ("demo/faq/index#how", "FAQs"),
        ("demo/faq/index#faqs", "FAQs"),
        ("demo/guide#guide", "Guide"),
        ("demo/guide#usage", "Guide: Usage"),
        ("demo/guide#usage-2", "Guide: Usage"),
    ]
    assert passages[0].text == f"{words('It', 30)} {words('Item', 20)}"
    assert passages[2].text == words("First", 50)
    assert passages[5].text == f"{words('One', 30)} {words('Two', 30)}"
    assert passages[6].text == words("Three", 30)


def test_queries_returns_questions_with_their_judgments(archives: Path) -> None:
    queries, judgments = source(archives, splits={"test": 1.0}).queries("test")
    assert queries == [
        Query("demo/faq/index?what-is-it", "What is it?"),
        Query("demo/faq/index?it-crashes", "It crashes!"),
        Query("demo/faq/index?why-does-it-crash", "Why does it crash?"),
        Query("demo/faq/index?how", "How?"),
    ]
    assert judgments[2] == Judgment("demo/faq/index?why-does-it-crash", "demo/faq/index#it-crashes", 1)
    assert {item.grade for item in judgments} == {1}


def test_report_counts_omitted_items(archives: Path) -> None:
    assert source(archives, questions=2, distractors=1).report() == {
        "demo": {
            "answers shared": 1,
            "answers that only point elsewhere": 1,
            "answers too short": 1,
            "distractors": 1,
            "distractors left out by the limit": 3,
            "duplicate passages": 1,
            "passages too short or long": 1,
            "question headings": 6,
            "questions": 2,
            "questions left out by the limit": 2,
        }
    }


def test_splits_have_no_common_question_or_answer(archives: Path) -> None:
    for seed in range(8):
        opened = source(archives, seed=seed)
        train, test = opened.queries("train"), opened.queries("test")
        assert len(train[0]) + len(test[0]) == 4
        assert not {item.id for item in train[0]} & {item.id for item in test[0]}
        assert not {item.passage_id for item in train[1]} & {item.passage_id for item in test[1]}


def test_samples_of_distractors_are_nested_and_seeded(archives: Path) -> None:
    def names(limit: int, seed: int = 1) -> set[str]:
        return {passage.id for passage in source(archives, distractors=limit, seed=seed).passages()}

    assert names(1) < names(2) < names(3)
    assert len({frozenset(names(1, seed)) for seed in range(8)}) > 1


def test_questions_skips_headings_of_groups() -> None:
    leaf = RstSection("Leaf", ("prose",))
    asked = RstSection("Why?", ("prose",))
    page = RstSection(
        "Page",
        ("intro",),
        (
            RstSection("Group", (), (leaf,)),
            RstSection("Group with words", ("words",), (asked,)),
            RstSection("Question with parts", ("words",), (leaf,)),
            RstSection("Empty", ()),
        ),
    )
    assert [item.heading for item in questions(page)] == ["Leaf", "Why?", "Question with parts"]
    assert answer_text(page.sections[2], 10) == "words prose"


def test_cut_between_blocks_cuts_long_blocks_between_sentences() -> None:
    assert list(cut_between_blocks(["a b", "c d", "e"], 4)) == ["a b c d", "e"]
    assert list(cut_between_blocks(["a b. c d! e f g"], 3)) == ["a b.", "c d!", "e f g"]
    assert list(cut_between_blocks(["a b c d"], 3)) == ["a b c d"]
    assert list(cut_between_blocks([], 3)) == []


def test_split_pairs_does_not_depend_on_the_order_of_the_pairs() -> None:
    pairs = [RelevantPair(Query(f"q{n}", "?"), Passage(f"a{n}", "text")) for n in range(10)]
    shares = {"train": 0.6, "dev": 0.1, "test": 0.3}
    first = split_pairs(pairs, shares, 13, {})
    assert first == split_pairs(pairs[::-1], shares, 13, {})
    assert sorted(first.values()) == ["dev"] + ["test"] * 3 + ["train"] * 6
    assert first != split_pairs(pairs, shares, 14, {})


def test_faq_source_without_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/demo: no such folder; expected the unpacked archive demo$"):
        source(tmp_path)


def test_open_source_of_documentation_without_archives_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"demo\.yaml: source faq needs unpacked archives; add --archives"):
        open_source(corpus(), ORIGIN)


def test_faq_source_refuses_a_glob_without_a_match(archives: Path) -> None:
    (archives / "demo/docs/faq/index.rst").unlink()
    with pytest.raises(DataError, match=r"/demo: no file matches the glob 'docs/faq/\*\.rst' that config/corpora/demo"):
        source(archives)


def test_queries_of_an_unknown_split_are_refused(archives: Path) -> None:
    with pytest.raises(ConfigError, match=r"demo\.yaml: splits: no split 'dev'; known: test, train$"):
        source(archives).queries("dev")
