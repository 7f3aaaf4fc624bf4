"""A record of results that is older than a change of its numbers mentions this at its top."""

import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest

from synthrank.runtime import revision

PROJECT = Path(__file__).resolve().parents[2]
RECORDS = [PROJECT / "docs/demo", *sorted(path for path in (PROJECT / "docs/experiments").iterdir() if path.is_dir())]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_record_states_its_age_above_its_numbers(record):
    text = (record / "README.md").read_text(encoding="utf-8")
    sentence = revision.explain_age(record)
    if sentence:
        head = text.split("| --", 1)[0].split("|---", 1)[0]
        assert sentence in head, "run python benchmarks/readme.py"
    else:
        assert "These numbers are outdated" not in text


def test_excerpts_of_a_record_state_the_same_age(monkeypatch):
    text = (PROJECT / "docs/passage-study.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- record:begin -->\n(.*?)<!-- record:end -->", text, re.DOTALL)
    assert block.startswith(revision.explain_age(PROJECT / "docs/experiments/nfcorpus-human-vs-llm"))


@pytest.fixture
def readme(tmp_path, monkeypatch):
    """Return benchmarks/readme.py for a copy of the pages, only with blocks of records."""
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
def test_check_fails_if_numbers_move_and_a_record_is_silent(readme, monkeypatch, later):
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
    with pytest.raises(SystemExit, match=r"README\.md: the record states no age of its numbers"):
        readme.main()
