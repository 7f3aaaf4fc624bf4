"""The hash changes if and only if the code behind a script changes."""

import itertools
import re
from pathlib import Path

import pytest

from synthrank.errors import ConfigError
from synthrank.workflow import code_hash as fingerprint
from synthrank.workflow.code_hash import SRC, Codes, codes_of

RULES = "".join(path.read_text() for path in (Path(__file__).parents[2] / "rules").glob("*.smk"))
SCRIPT = '"""Doc."""\nfrom synthrank.steps.step import step\n\nstep(1)\n'
FILES = {
    "synthrank/__init__.py": "",
    "synthrank/steps/__init__.py": '"""Steps."""\n',
    "synthrank/steps/step.py": '"""Doc."""\nfrom synthrank import helper\n\n\n'
    'def step(x):\n    """Doc."""\n    import synthrank.late\n    return helper.double(x) + synthrank.late.ONE\n',
    "synthrank/helper.py": "from synthrank.deep import TWO\n\ndef double(x):\n    return TWO * x\n",
    "synthrank/deep.py": 'TWO = 2\n"""A number."""\n',
    "synthrank/late.py": "ONE = 1\n",
    "synthrank/unrelated.py": "THREE = 3\n",
}


@pytest.fixture
def make(tmp_path):
    """Return a function that writes a package with some files replaced and returns its hash and modules."""
    numbers = itertools.count()

    def build(script=SCRIPT, **replaced):
        src = tmp_path / f"src{next(numbers)}"
        for name, text in {
            **FILES,
            **{f"synthrank/{key.replace('.', '/')}.py": v for key, v in replaced.items()},
        }.items():
            (src / name).parent.mkdir(parents=True, exist_ok=True)
            (src / name).write_text(text)
        path = tmp_path / f"scripts{next(numbers)}" / "do_step.py"
        path.parent.mkdir()
        path.write_text(script)
        return Codes(src).of(path), Codes(src).modules(path)

    return build


def test_of_returns_sixteen_digits_independent_of_the_folder(make):
    first, second = make()[0], make()[0]
    assert first == second
    assert re.fullmatch(r"[0-9a-f]{16}", first)


def test_modules_returns_all_imported_files(make):
    names = [path.name if path.name != "__init__.py" else path.parent.name for path in make()[1]]
    assert names == ["do_step.py", "synthrank", "deep.py", "helper.py", "late.py", "steps", "step.py"]


STEP = FILES["synthrank/steps/step.py"]


@pytest.mark.parametrize(
    "replaced",
    [
        {"helper": "# a comment\n" + FILES["synthrank/helper.py"]},
        {"helper": '"""A docstring."""\n' + FILES["synthrank/helper.py"]},
        {"helper": "from synthrank.deep import (\n    TWO,\n)\ndef double( x ):\n\n    return (TWO*x)\n"},
        {"helper": FILES["synthrank/helper.py"].replace("    return", '    """Doc."""\n    return')},
        {"deep": "TWO = 2  # why\n"},
        {"steps.step": STEP.replace('"""Doc."""', '"""Another text."""')},
        {"unrelated": "THREE = 4\n"},
        {"steps.unrelated": "X = 1\n"},
        {"script": SCRIPT.replace("Doc", "Other")},
    ],
    ids=lambda replaced: str(next(iter(replaced))),
)
def test_of_ignores_texts_layout_and_unrelated_modules(make, replaced):
    assert make(**replaced)[0] == make()[0]


@pytest.mark.parametrize(
    "replaced",
    [
        {"script": SCRIPT.replace("step(1)", "step(2)")},
        {"steps.step": STEP.replace("+", "-")},
        {"helper": FILES["synthrank/helper.py"].replace("TWO * x", "x * TWO")},
        {"deep": "TWO = 3\n"},
        {"late": "ONE = 2\n"},
        {"steps.__init__": "import os\n"},
        {"__init__": "X = 1\n"},
        {"helper": FILES["synthrank/helper.py"].replace("return TWO", 'return "doc" and TWO')},
    ],
    ids=lambda replaced: str(next(iter(replaced))),
)
def test_of_changes_with_the_code(make, replaced):
    assert make(**replaced)[0] != make()[0]


@pytest.mark.parametrize(
    "line",
    ["import synthrank.unrelated", "import synthrank.unrelated as u", "from synthrank import unrelated",
     "from synthrank import late, unrelated as u", "def f():\n    from synthrank.unrelated import THREE",
     "if False:\n    import synthrank.unrelated"],
)  # fmt: skip
def test_of_follows_every_form_of_import(make, line):
    script = f"{SCRIPT}\n{line}\n"
    assert make(script)[0] != make(script, unrelated="THREE = 4\n")[0]


def test_of_accepts_circular_imports(make):
    assert make(deep="import synthrank.helper\nTWO = 2\n")[0] != make()[0]


def test_modules_ignores_other_packages(make):
    script = SCRIPT + "import synthranker\nimport json\n"
    assert len(make(script)[1]) == 7


@pytest.mark.parametrize("text", [None, "def f(:\n"])
def test_of_an_unreadable_script_names_it(tmp_path, text):
    path = tmp_path / "do_step.py"
    if text:
        path.write_text(text)
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(path))}: cannot be read as Python \("):
        Codes(tmp_path).of(path)


def test_codes_of_the_real_steps_exclude_other_steps(root):
    """A step's hash covers its module and the imports of the runner."""
    real, codes, runner = Codes(), {}, root / "scripts/step.py"
    steps = [
        path for path in (SRC / "synthrank/steps").glob("*/*.py") if re.search(rf"^ *rule {path.stem}:", RULES, re.M)
    ]
    for step in steps:
        found = {path.relative_to(SRC / "synthrank").as_posix() for path in real.modules(step, runner)[2:]}
        assert not [path for path in steps if path.relative_to(SRC / "synthrank").as_posix() in found], step.name
        assert {"cli.py", "errors.py", "data/files.py", "__init__.py"} <= found
        codes[step.stem] = real.of(step, runner)
    assert len(set(codes.values())) == len(codes) > 50
    ranker = {path.name for path in real.modules(SRC / "synthrank/steps/checkpoints/train_ranker.py")}
    assert {"bi_encoder.py", "reranker.py", "training.py", "encoder.py"} <= ranker
    assert not {"local.py", "echo.py", "bm25.py"} & ranker


# The cache between processes


@pytest.fixture
def package(tmp_path):
    """Return a folder with a package and two scripts."""
    for name, text in FILES.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/do_step.py").write_text(SCRIPT)
    (tmp_path / "scripts/other.py").write_text("import synthrank.late\n")
    (tmp_path / "run.py").write_text("import synthrank\n")
    return tmp_path


@pytest.fixture
def parsed(monkeypatch):
    """Return the list of parsed contents."""
    contents, facts_of = [], fingerprint._facts_of
    monkeypatch.setattr(fingerprint, "_facts_of", lambda content: contents.append(content) or facts_of(content))
    return contents


def next_process(package):
    """Return the hashes as another process computes them."""
    return codes_of((package / "scripts").glob("*.py"), package / "run.py", package / "src")


def test_codes_of_in_a_second_process_uses_the_cache(package, parsed):
    first = next_process(package)
    assert len(parsed) == 9
    assert next_process(package) == first
    assert len(parsed) == 9
    runner = package / "run.py"
    assert first == {path.stem: Codes(package / "src").of(path, runner) for path in (package / "scripts").iterdir()}


def test_codes_of_with_a_cache_follows_every_edit(package):
    first = next_process(package)
    late = package / "src/synthrank/late.py"
    late.write_text("# a comment\nONE = 1\n")
    assert next_process(package) == first
    late.write_text("from synthrank.unrelated import THREE as ONE\n")
    edited = next_process(package)
    assert all(edited[name] != first[name] for name in first)
    (package / "src/synthrank/unrelated.py").write_text("THREE = 4\n")
    again = next_process(package)
    assert all(again[name] != edited[name] for name in first)
    (package / "src/synthrank/steps/extra.py").write_text("")
    (package / "scripts/other.py").write_text("from synthrank.steps import extra\n")
    assert (next_process(package)["do_step"], next_process(package)["other"]) == (
        again["do_step"], Codes(package / "src").of(package / "scripts/other.py", package / "run.py"),
    )  # fmt: skip


def test_the_cache_keeps_only_current_files(package):
    next_process(package)
    (kept,) = (package / "src/synthrank/__pycache__").glob("fingerprints.*.json")
    size = len(kept.read_text())
    for number in range(20):
        (package / "src/synthrank/late.py").write_text(f"ONE = {number}\n")
        next_process(package)
    assert len(kept.read_text()) == size


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"by": "another version", "facts": {}}'])
def test_codes_of_ignores_an_invalid_cache(package, text, parsed):
    first = next_process(package)
    (kept,) = (package / "src/synthrank/__pycache__").glob("fingerprints.*.json")
    kept.write_text(text)
    parsed.clear()
    assert next_process(package) == first
    assert len(parsed) == 9


def test_codes_of_ignores_the_cache_of_another_version(package, parsed, monkeypatch, tmp_path):
    next_process(package)
    (tmp_path / "fingerprint.py").write_text("# changed\n")
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
    parsed.clear()
    next_process(package)
    assert len(parsed) == 9


def test_codes_of_works_without_a_writable_cache(package):
    (package / "src/synthrank/__pycache__").write_text("a file where the folder should be\n")
    assert next_process(package) == next_process(package)
    other = Codes(package / "src").of(package / "scripts/other.py", package / "run.py")
    assert other == next_process(package)["other"]
