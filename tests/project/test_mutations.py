"""The list of mutations: each changes one place of the code and names existing tests; counting them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import mutations  # noqa: E402
from mutations import Mutation, place_of, read_mutations, read_source, results  # noqa: E402


def test_mutations_have_existing_tests() -> None:
    found, texts = read_mutations(), read_source(ROOT)
    assert len({item.what for item in found}) == len(found) >= 120
    for item in found:
        assert item.old != item.new, item.what
        assert place_of(item, texts).suffix == ".py"
        assert (ROOT / item.tests[0].partition("::")[0]).is_file(), item.what


def test_mutation_whose_text_is_missing_or_repeated_is_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    assert place_of(Mutation("x", "a = 1", "a = 2", []), {one: "a = 1\n", two: "b = 2\n"}) == one
    for old, times in (("a = 1", 2), ("b = 1", 0)):
        message = rf"^x: '{old}' occurs {times} times in the source; expected one occurrence$"
        with pytest.raises(ValueError, match=message):
            place_of(Mutation("x", old, "", []), {one: "a = 1\n", two: "a = 1\n"})


def test_mutations_with_results_are_skipped_and_code_is_restored(tmp_path: Path, monkeypatch) -> None:
    code = tmp_path / "src/one.py"
    code.parent.mkdir()
    code.write_text("a = 1\nb = 2\nc = 3\n")
    seen = []

    def failure(tree: Path, tests: list[str]) -> str | None:
        seen.append((code.read_text(), list(tests)))
        return "b::test" if "b = 0" in code.read_text() else None

    monkeypatch.setattr(mutations, "failure", failure)
    for name in "abc":
        (tmp_path / name).touch()
    tried = [Mutation(name, f"{name} = {place}", f"{name} = 0", [name, "gone"]) for place, name in enumerate("abc", 1)]
    found = [(what, failed) for what, failed, _ in results(tried, tmp_path, {"a"})]
    assert found == [("b", "b::test"), ("c", "")]
    whole = "a = 1\nb = 2\nc = 3\n"
    assert seen == [("a = 1\nb = 0\nc = 3\n", ["b"]), (whole, ["b::test"]), ("a = 1\nb = 2\nc = 0\n", ["c"])]
    assert code.read_text() == whole
    monkeypatch.setattr(mutations, "failure", lambda tree, tests: "a::test")
    with pytest.raises(RuntimeError, match=r"^a::test fails without the mutation: a$"):
        next(results(tried, tmp_path, ()))
