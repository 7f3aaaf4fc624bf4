"""A record of results that is older than a change of its numbers says so at its top."""

import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest

from synthrank import revision

PROJECT = Path(__file__).resolve().parents[2]
RECORDS = [PROJECT / "docs/demo", *sorted(path for path in (PROJECT / "docs/experiments").iterdir() if path.is_dir())]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_record_says_how_old_it_is_above_its_numbers(record):
    text = (record / "README.md").read_text(encoding="utf-8")
    sentence = revision.age(record)
    if sentence:
        head = text.split("| --", 1)[0].split("|---", 1)[0]
        assert sentence in head, "run python benchmarks/readme.py"
    else:
        assert "older than changes that move them" not in text


def test_what_other_pages_show_of_a_record_is_as_old(monkeypatch):
    text = (PROJECT / "docs/passage-study.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- record:begin -->\n(.*?)<!-- record:end -->", text, re.DOTALL)
    assert block.startswith(revision.age(PROJECT / "docs/experiments/nfcorpus-human-vs-llm"))


@pytest.fixture
def readme(tmp_path, monkeypatch):
    """Return benchmarks/readme.py over a copy of the pages, with blocks of records alone."""
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    module = importlib.import_module("readme")
    shutil.copytree(PROJECT / "docs/experiments", tmp_path / "docs/experiments")
    (tmp_path / "README.md").write_text("nothing\n")
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    monkeypatch.setattr(module, "BLOCKS", {})
    module.block.cache_clear()
    yield module
    module.block.cache_clear()
    sys.modules.pop("readme")


@pytest.mark.parametrize("later", [1, 5])
def test_the_check_fails_when_numbers_move_and_a_record_does_not_say_so(readme, monkeypatch, later):
    monkeypatch.setattr(sys, "argv", ["readme.py", "--check"])
    readme.main()
    monkeypatch.setattr(revision, "NUMBERS", revision.NUMBERS + later)
    readme.block.cache_clear()
    with pytest.raises(SystemExit, match=r"README\.md: the figures differ from .*run python benchmarks/readme\.py"):
        readme.main()
    monkeypatch.setattr(sys, "argv", ["readme.py"])
    readme.main()
    monkeypatch.setattr(sys, "argv", ["readme.py", "--check"])
    readme.main()


def test_a_record_without_its_revision_or_a_place_for_it_is_refused(readme, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["readme.py", "--check"])
    page = next((readme.PROJECT / "docs/experiments").glob("*/README.md"))
    page.write_text(re.sub(r"<!-- age.*?age:end -->\n", "", page.read_text(), flags=re.DOTALL))
    with pytest.raises(SystemExit, match=r"README\.md: the record does not say how old its numbers are"):
        readme.main()
