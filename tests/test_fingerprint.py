"""The fingerprint changes with behaviour behind a script, and with nothing else."""

import itertools
import re

import pytest

from synthrank import fingerprint
from synthrank.errors import ConfigError
from synthrank.fingerprint import SRC, Codes, codes_of

SCRIPT = '"""Doc."""\nfrom synthrank.steps.step import step\n\nstep(1)\n'
FILES = {
    "synthrank/__init__.py": "",
    "synthrank/steps/__init__.py": '"""Steps."""\n',
    "synthrank/steps/step.py": '"""Doc."""\nfrom synthrank import helper\n\n\n'
    'def step(x):\n    """Doc."""\n    import synthrank.late\n    return helper.double(x) + synthrank.late.ONE\n',
    "synthrank/helper.py": "from synthrank.deep import TWO\n\ndef double(x):\n    return TWO * x\n",
    "synthrank/deep.py": 'TWO = 2\n"""What two is."""\n',
    "synthrank/late.py": "ONE = 1\n",
    "synthrank/unrelated.py": "THREE = 3\n",
}


@pytest.fixture
def make(tmp_path):
    """Return a function that writes a package with some files replaced and gives its fingerprint."""
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


def test_it_is_sixteen_digits_and_the_same_in_another_folder(make):
    first, second = make()[0], make()[0]
    assert first == second
    assert re.fullmatch(r"[0-9a-f]{16}", first)


def test_the_files_behind_a_script(make):
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
def test_what_changes_nothing(make, replaced):
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
def test_what_changes_it(make, replaced):
    assert make(**replaced)[0] != make()[0]


@pytest.mark.parametrize(
    "line",
    ["import synthrank.unrelated", "import synthrank.unrelated as u", "from synthrank import unrelated",
     "from synthrank import late, unrelated as u", "def f():\n    from synthrank.unrelated import THREE",
     "if False:\n    import synthrank.unrelated"],
)  # fmt: skip
def test_every_form_of_import_is_followed(make, line):
    script = f"{SCRIPT}\n{line}\n"
    assert make(script)[0] != make(script, unrelated="THREE = 4\n")[0]


def test_importing_in_a_circle_ends(make):
    assert make(deep="import synthrank.helper\nTWO = 2\n")[0] != make()[0]


def test_other_packages_are_not_followed(make):
    script = SCRIPT + "import synthranker\nimport json\n"
    assert len(make(script)[1]) == 7


@pytest.mark.parametrize("text", [None, "def f(:\n"])
def test_a_script_that_cannot_be_read_is_named(tmp_path, text):
    path = tmp_path / "do_step.py"
    if text:
        path.write_text(text)
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(path))}: cannot be fingerprinted \("):
        Codes(tmp_path).of(path)


def test_the_real_scripts(root):
    """A step's fingerprint covers the module of its name; the modules of other steps are none of its business."""
    real, codes = Codes(), {}
    for script in sorted((root / "scripts").glob("*.py")):
        found = {path.relative_to(SRC / "synthrank").as_posix() for path in real.modules(script)[1:]}
        steps = {path for path in found if path.endswith(f"/{script.name}")}
        assert len(steps) == 1, script.name
        assert {"cli.py", "errors.py", "files.py", "__init__.py"} <= found
        codes[script.name] = real.of(script)
    assert len(set(codes.values())) == len(codes)
    ranker = {path.name for path in real.modules(root / "scripts/train_ranker.py")}
    assert {"bi_encoder.py", "reranker.py", "training.py", "vectors.py"} <= ranker
    assert not {"local.py", "echo.py", "bm25.py"} & ranker


# What one process found is kept for the next one


@pytest.fixture
def package(tmp_path):
    """Return a folder with a package and a folder with two scripts over it."""
    for name, text in FILES.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/do_step.py").write_text(SCRIPT)
    (tmp_path / "scripts/other.py").write_text("import synthrank.late\n")
    return tmp_path


@pytest.fixture
def parsed(monkeypatch):
    """Return the list of what is parsed."""
    contents, facts_of = [], fingerprint._facts_of
    monkeypatch.setattr(fingerprint, "_facts_of", lambda content: contents.append(content) or facts_of(content))
    return contents


def next_process(package):
    """Return the fingerprints as another process finds them."""
    return codes_of(package / "scripts", package / "src")


def test_a_second_process_parses_nothing(package, parsed):
    first = next_process(package)
    assert len(parsed) == 8
    assert next_process(package) == first
    assert len(parsed) == 8
    assert first == {path.name: Codes(package / "src").of(path) for path in (package / "scripts").iterdir()}


def test_what_is_kept_follows_every_edit(package):
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
    assert (next_process(package)["do_step.py"], next_process(package)["other.py"]) == (
        again["do_step.py"], Codes(package / "src").of(package / "scripts/other.py"),
    )  # fmt: skip


def test_only_what_is_of_use_is_kept(package):
    next_process(package)
    (kept,) = (package / "src/synthrank/__pycache__").glob("fingerprints.*.json")
    size = len(kept.read_text())
    for number in range(20):
        (package / "src/synthrank/late.py").write_text(f"ONE = {number}\n")
        next_process(package)
    assert len(kept.read_text()) == size


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"by": "another version", "facts": {}}'])
def test_a_file_that_is_not_ours_is_no_harm(package, text, parsed):
    first = next_process(package)
    (kept,) = (package / "src/synthrank/__pycache__").glob("fingerprints.*.json")
    kept.write_text(text)
    parsed.clear()
    assert next_process(package) == first
    assert len(parsed) == 8


def test_another_version_of_this_module_keeps_its_own(package, parsed, monkeypatch, tmp_path):
    next_process(package)
    (tmp_path / "fingerprint.py").write_text("# changed\n")
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
    parsed.clear()
    next_process(package)
    assert len(parsed) == 8


def test_a_folder_that_cannot_be_written_is_no_harm(package):
    (package / "src/synthrank/__pycache__").write_text("a file where the folder should be\n")
    assert next_process(package) == next_process(package)
    assert Codes(package / "src").of(package / "scripts/other.py") == next_process(package)["other.py"]
