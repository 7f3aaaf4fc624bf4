"""The rules of the house, as far as a test can see them."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
PACKAGE = SRC / "synthrank"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
STAGES = [path.stem for path in RULE_FILES if path.stem not in ("common", "root")]


def name_of(path):
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}
STEPS = {
    name for name, path in NAMES.items() if path.parent.name in STAGES and (ROOT / "scripts" / path.name).is_file()
}


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path, inside_functions=True):
    """Return the dotted names that a file imports; a name imported from a package counts as its module too."""
    waiting, found = list(tree_of(path).body), set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not fingerprinted"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def each(items, name_of=str):
    """Return a decorator: the test is run for every item, and fails with the list of those that it fails for."""

    def decorate(check):
        def test():
            offenders = []
            for item in items:
                try:
                    check(item)
                except AssertionError as error:
                    offenders.append(f"{name_of(item)}: {error}")
            assert not offenders, "\n".join(offenders)

        test.__doc__ = check.__doc__
        assert len(items) > 5
        return test

    return decorate


def belongs(name, package):
    return name == package or name.startswith(package + ".")


# Who may know whom


def test_the_contracts_of_pyproject_are_kept():
    """In a process of its own: the command silences every logger of the process that it runs in."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = {contract.get("id"): contract for contract in tools["importlinter"]["contracts"]}
    protected = contracts["stages"]["protected_modules"]
    assert set(protected) == {f"synthrank.{stage}" for stage in STAGES}


def test_the_steps_are_found():
    assert len(STEPS) == len(SCRIPTS)
    assert {name.rsplit(".", 1)[1] for name in STEPS} == {path.stem for path in SCRIPTS}
    assert set(STAGES) >= {"corpora", "passages", "runs", "trainsets", "checkpoints", "metrics", "tables"}


@each(sorted(NAMES))
def test_no_module_imports_a_step(name):
    """Steps meet through files only."""
    assert not imports(NAMES[name]) & STEPS


HEAVY = {
    "altair": {"figures.charts", "figures.style", "report.graph"},
    "datasets": {"rankers.bi_encoder", "rankers.reranker", "rankers.shapes"},
    "docutils": {"sources.rst"},
    "faiss": {"retrievers.approximate"},
    "ir_measures": {"measures"},
    "mlcroissant": set(),
    "igraph": {"report.graph"},
    "itables": set(),
    "peft": set(),
    "pandas": {"figures.charts", "figures.style", "figures.tables", "tables.make_reply_tables"},
    "pyarrow": {"releases.tables"},
    "pyserini": set(),
    "scipy": {"power", "tables.two_way"},
    "sentence_transformers": {
        "rankers.bi_encoder",
        "rankers.in_batch",
        "rankers.listwise",
        "rankers.losses",
        "rankers.pair_model",
        "rankers.reranker",
        "rankers.prompt_score",
        "retrievers.sparse",
        "retrievers.splade_pooling",
        "vectors",
    },
    "statsmodels": {"tables.holm"},
    "torch": {
        "llms.local",
        "llms.sampling",
        "queries.predictor",
        "rankers.decoder",
        "rankers.in_batch",
        "rankers.listwise",
        "rankers.losses",
        "rankers.microbatch",
        "rankers.one_step",
        "rankers.pair_model",
        "rankers.prompt_score",
        "rankers.reranker",
        "rankers.seq2seq",
        "rankers.trainers",
        "retrievers.splade_pooling",
        "weights",
    },
    "transformers": {
        "llms.local",
        "llms.sampling",
        "queries.predictor",
        "rankers.one_step",
        "rankers.pair_prompt",
        "rankers.decoder",
        "rankers.prompt_score",
        "rankers.seq2seq",
        "rankers.trainers",
        "rankers.training",
        "vectors",
        "weights",
    },
    "trectools": {"fusion"},
    "vl_convert": {"report.bundles"},
}
"""Heavy libraries, and the modules that may import them when they are imported themselves."""


@pytest.mark.parametrize("library", sorted(HEAVY))
def test_heavy_libraries_are_imported_where_they_are_used(library):
    found = {name.removeprefix("synthrank.") for name, path in NAMES.items()
             if any(belongs(item, library) for item in imports(path, inside_functions=False))}  # fmt: skip
    assert found <= HEAVY[library]


def test_parsing_the_workflow_loads_nothing_heavy():
    code = (
        "import sys, synthrank.study, synthrank.needs, synthrank.fingerprint\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SRC)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded
    assert not loaded & {*HEAVY, "numpy", "scipy", "tqdm", "jinja2", "cyclopts", "synthrank.cli"}


# Form


@each(sorted(NAMES))
def test_a_module_has_one_idea(name):
    assert len(NAMES[name].read_text(encoding="utf-8").splitlines()) <= 300


def test_snakefiles_are_short():
    assert len((ROOT / "Snakefile").read_text(encoding="utf-8").splitlines()) <= 60
    assert len((ROOT / "rules/common.smk").read_text(encoding="utf-8").splitlines()) <= 100


@each(SCRIPTS)
def test_a_script_holds_no_logic(path):
    tree = tree_of(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 15
    assert ast.get_docstring(tree)
    step = next(name for name in STEPS if name.endswith(f".{path.stem}"))
    assert imports(path) == {"synthrank.cli", "synthrank.cli.run", step, f"{step}.{path.stem}"}
    assert [ast.unparse(node) for node in tree.body[3:]] == [f"run({path.stem})"]


# Rules


class Rule:
    """A rule's text, in parts."""

    def __init__(self, name, body, stage):
        self.name, self.body, self.stage = name, body, stage
        parts = re.split(r"^    (\w+): ?", body, flags=re.MULTILINE)
        self.parts = dict(zip(parts[1::2], parts[2::2], strict=True))
        self.head = parts[0]

    def items(self, part):
        """Return the named items of a part."""
        return re.findall(r"^        (\w+)=", self.parts.get(part, ""), re.MULTILINE)

    def texts(self, part):
        return re.findall(r'"([^"]*)"', self.parts.get(part, ""))


def read_rules():
    pattern = r"^rule (\w+):\n((?:(?:    .*)?\n)*)"
    return [
        Rule(name, body, path.stem)
        for path in RULE_FILES
        for name, body in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


RULES = read_rules()


def each_rule(check):
    return each(RULES, lambda rule: rule.name)(check)


def test_every_rule_has_a_script_and_every_script_a_rule():
    assert {rule.name for rule in RULES} == {path.stem for path in SCRIPTS}
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
    assert len(re.findall(r"^(?:use )?rule\b", text, re.MULTILINE)) == len(RULES), "every rule is whole and was read"


@each_rule
def test_a_rule_has_every_part(rule):
    order = ["input", "output", "log", "benchmark", "wildcard_constraints", "conda", "threads", "resources", "params",
             "shell"]  # fmt: skip
    assert re.match(r'    """\S.*\."""\n', rule.head), "it says what it makes"
    assert [part for part in order if part in rule.parts] == list(rule.parts), "in one order, and no part but these"
    assert set(order) - set(rule.parts) <= {"wildcard_constraints", "resources"}
    assert rule.parts["params"].splitlines()[1].strip() == f'code=code_of("{rule.name}.py"),'
    assert rule.texts("conda") == [f"../envs/{rule.stage}.yaml"]
    step = next(name for name in STEPS if name.endswith(f".{rule.name}"))
    assert step == f"synthrank.{rule.stage}.{rule.name}", "stage, environment and module have one name"


@each_rule
def test_log_and_benchmark_are_in_folders_of_the_rule(rule):
    (log,), (benchmark,) = rule.texts("log"), rule.texts("benchmark")
    assert log.startswith(f"results/logs/{rule.name}/")
    assert log.endswith(".log")
    assert benchmark == log.replace("/logs/", "/benchmarks/").removesuffix(".log") + ".tsv"


@each_rule
def test_outputs_are_in_the_folder_of_the_stage(rule):
    outputs = rule.texts("output")
    assert outputs
    assert all(path.startswith((f"results/{rule.stage}/", f"results/{rule.stage}.")) for path in outputs)
    wildcards = set(re.findall(r"\{(\w+)\}", " ".join(outputs)))
    constant = set(re.findall(r'^        (\w+)="none"', rule.parts.get("wildcard_constraints", ""), re.MULTILINE))
    named = set(re.findall(r"\{(\w+)\}", rule.texts("log")[0]))
    assert wildcards - constant <= named <= wildcards, "two jobs never share a log"


def command(rule):
    shell = rule.parts["shell"]
    lines = [line.strip() for line in shell.strip().strip('r"').strip().splitlines()]
    start = "{params.launcher}" if rule.name == "train_ranker" else "python"
    assert lines[0] == f'{start} "$SCRIPTS"/{rule.name}.py \\'
    assert lines[-1] == "&>{log:q}"
    assert all(line.endswith(" \\") for line in lines[:-1]), "one option a line"
    return [line.removesuffix(" \\").split(" ", 1) for line in lines[1:-1]]


@each_rule
def test_the_options_of_a_rule_are_the_keywords_of_its_step(rule):
    step = getattr(importlib.import_module(f"synthrank.{rule.stage}.{rule.name}"), rule.name)
    parameters = inspect.signature(step).parameters.values()
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    options = [option for option, _ in command(rule)]
    assert len(options) == len(set(options))
    assert set(options) == {f"--{parameter.name.replace('_', '-')}" for parameter in parameters}


@each_rule
def test_every_option_is_given_something_that_the_rule_states(rule):
    used = set()
    for option, value in command(rule):
        for kind, name in re.findall(r"\{(\w+)(?:\.(\w+))?", value):
            if kind in ("input", "output", "params"):
                assert name in rule.items(kind), f"{option} {value}"
                used.add((kind, name))
            elif kind == "wildcards":
                assert f"{{{name}}}" in " ".join(rule.texts("output") + rule.texts("log"))
            else:
                assert (kind, name) == ("threads", "")
        quoted = re.findall(r"\{(?:input|output|wildcards)\.\w+(:q)?\}", value)
        assert all(quoted) or option == "--archives", f"{option} {value}: quote it"
        if match := re.fullmatch(r"\{(?:input|output)\.(\w+):q\}", value):
            assert option == f"--{match[1].replace('_', '-')}", f"{option} {value}: one thing, one name"
    unused = {("input", name) for name in rule.items("input")} | {("output", name) for name in rule.items("output")}
    assert unused - used <= {("input", "source")}, "what is not read is no input"


@each_rule
def test_steps_say_what_each_option_is(rule):
    step = getattr(importlib.import_module(f"synthrank.{rule.stage}.{rule.name}"), rule.name)
    arguments = inspect.getdoc(step).split("\nArgs:\n")[1].split("\n\n")[0]
    told = re.findall(r"^ {4}(\w+): ", arguments, re.MULTILINE)
    assert sorted(told) == sorted(inspect.signature(step).parameters)


@each([*RULE_FILES, ROOT / "Snakefile"])
def test_rules_use_what_a_reader_can_follow(path):
    text = path.read_text(encoding="utf-8")
    code = re.sub(r'"""(?:.|\n)*?"""', "", text)
    assert not re.search(r"\blambda\b", code)
    assert not re.search(r"^\s*(run|script|message|retries|group|priority):", code, re.MULTILINE)
    assert not re.search(r"^checkpoint\b|\btouch\(|\btemp\(", code, re.MULTILINE)
    assert path.name in ("Snakefile", "common.smk", "root.smk") or re.match(r'"""Stage \w+: .*\n\nTakes  .*', text)


def test_the_rules_use_what_common_smk_imports():
    """Ruff does not read Snakefiles."""
    paths = [*RULE_FILES, ROOT / "Snakefile"]
    names = re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in paths))
    lines = re.findall(r"^(?:from \S+ )?import (.+)$", (ROOT / "rules/common.smk").read_text(), re.MULTILINE)
    imported = [name.strip() for line in lines for name in line.split(",")]
    assert len(imported) > 10
    assert [name for name in imported if names.count(name) < 2] == []


# Environments


def pins():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"], project["optional-dependencies"]


@pytest.mark.parametrize("stage", STAGES)
def test_an_environment_has_the_pins_of_its_extra(stage):
    core, extras = pins()
    environment = yaml.safe_load((ROOT / f"envs/{stage}.yaml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    *conda, pip = environment["dependencies"]
    assert conda == ["python=3.11", "pip"]
    assert sorted(pip["pip"]) == sorted([*core, *extras[stage]])
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+==[\w.]+", pin) for pin in pip["pip"]), "exact pins"
    if any(pin.startswith("torch==") for pin in pip["pip"]):
        assert pip["pip"][0].startswith("torch=="), "first, or another package brings its own"


def test_every_stage_has_its_files():
    assert {path.stem for path in (ROOT / "envs").glob("*.yaml")} == set(STAGES)
    assert set(pins()[1]) == {*STAGES, "cloud", "conda-test", "dev", "docs", "workflow"}
    included = re.findall(r'^include: "rules/(\w+)\.smk"$', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    assert sorted(included) == sorted(["common", *STAGES])


def test_a_pin_is_the_same_everywhere():
    core, extras = pins()
    versions = {}
    for pin in [*core, *(pin for extra in extras.values() for pin in extra)]:
        package, version = pin.split("==")
        assert versions.setdefault(package, version) == version, package
    for file in ("Makefile", "Dockerfile"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.findall(r" torch==(\S+)", text) == [versions["torch"]], file
    # pyserini is installed without its dependencies, and neither an extra nor an environment's file could say so
    for file in ("Makefile", "Dockerfile", "envs/runs.post-deploy.sh"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.findall(r"(?:pip install|PIP\)).*--no-deps (\S+)", text) == ["pyserini==1.6.0"], file


def test_steps_import_what_their_environment_holds():
    """Every third-party module that a stage's steps can reach, inside functions too, is pinned for that stage."""
    provided = {
        "docutils": "docutils",
        "faiss": "faiss-cpu",
        "google": "google-genai",
        "markdown_it": "markdown-it-py",
        "sentence_splitter": "sentence-splitter",
        "sentence_transformers": "sentence-transformers",
        "vl_convert": "vl-convert-python",
        "yaml": "pyyaml",
    }
    core, extras = pins()
    for step in sorted(STEPS):
        stage = step.split(".")[1]
        packages = {pin.split("==")[0] for pin in [*core, *extras[stage]]}
        waiting, seen = [step], set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for found in imports(NAMES[name]):
                if found in NAMES:
                    waiting.append(found)
                top = found.split(".")[0]
                if top not in sys.stdlib_module_names and top != "synthrank":
                    assert provided.get(top, top) in packages, f"{step} reaches {top} through {name}"
