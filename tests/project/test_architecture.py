"""Check the house rules of CONTRIBUTING.md that a test can check."""

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
from conftest import rule_text

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "synthrank"
MODULES = sorted(PACKAGE.rglob("*.py"))
RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
STAGES = [path.stem for path in RULE_FILES if path.stem not in ("common", "root", "running")]


def name_of(path):
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}
RULE_NAMES = {
    path.stem: re.findall(r"^ *rule (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE) for path in RULE_FILES
}
STEPS = {f"synthrank.steps.{stage}.{name}" for stage in STAGES for name in RULE_NAMES[stage]}


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path, inside_functions=True):
    """Return the dotted names that a file imports; a name imported from a package also counts as its module."""
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


def modules_behind(name):
    """Return the names of the first-party modules that a module imports, directly or not."""
    waiting, found = [name], set()
    while waiting:
        fresh = imports(NAMES[waiting.pop()]) & NAMES.keys() - found
        found |= fresh
        waiting += fresh
    return found


def each(items, name_of=str):
    """Return a decorator that runs a test for every item and fails with the list of failing items."""

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


# Layers


def test_the_contracts_of_pyproject_are_kept():
    """Run the command in a separate process, because it silences every logger of its process."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = {contract.get("id"): contract for contract in tools["importlinter"]["contracts"]}
    protected = contracts["stages"]["protected_modules"]
    assert set(protected) == {f"synthrank.steps.{stage}" for stage in STAGES}


def test_every_rule_has_a_step_and_every_step_a_rule():
    """A step is a module with a function of the same name that takes only keywords."""
    found = {name for name, path in NAMES.items() if name.startswith("synthrank.steps.") and any(
        isinstance(node, ast.FunctionDef) and node.name == path.stem and node.args.kwonlyargs and not node.args.args
        for node in tree_of(path).body)}  # fmt: skip
    assert found == STEPS
    assert set(STAGES) >= {"corpora", "passages", "runs", "trainsets", "checkpoints", "metrics", "tables"}


def test_the_scripts_are_commands():
    """A script only calls a function of the package."""
    scripts = sorted((ROOT / "scripts").glob("*.py"))
    assert "step.py" in [path.name for path in scripts]
    for path in scripts:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 15, path
        assert ast.get_docstring(tree_of(path)), path
        assert not [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.If)], path


@each(sorted(NAMES))
def test_no_module_imports_a_step(name):
    """Steps exchange files only."""
    assert not imports(NAMES[name]) & STEPS


HEAVY = {
    "altair": {"steps.figures.charts", "steps.figures.style", "steps.report.graph"},
    "datasets": {"rankers.bi_encoder", "rankers.reranker", "rankers.datasets"},
    "docutils": {"data.sources.rst"},
    "faiss": {"retrievers.approximate"},
    "ir_measures": {"stats.measures"},
    "mlcroissant": set(),
    "igraph": {"steps.report.graph"},
    "itables": set(),
    "peft": set(),
    "pandas": {"steps.figures.charts", "steps.figures.style", "steps.figures.tables", "steps.tables.make_reply_tables"},
    "pyarrow": {"steps.releases.tables"},
    "pyserini": set(),
    "scipy": {"stats.power", "stats.two_way"},
    "sentence_transformers": {
        "rankers.bi_encoder",
        "rankers.in_batch",
        "rankers.listwise",
        "rankers.losses",
        "rankers.cross_encoder",
        "rankers.reranker",
        "rankers.prompt_score",
        "retrievers.sparse",
        "retrievers.splade_pooling",
        "vectors.encoder",
    },
    "statsmodels": {"stats.holm"},
    "torch": {
        "llms.local",
        "llms.sampling",
        "steps.queries.predictor",
        "rankers.decoder",
        "rankers.in_batch",
        "rankers.listwise",
        "rankers.losses",
        "rankers.batching",
        "rankers.t5_cross_attention",
        "rankers.cross_encoder",
        "rankers.prompt_score",
        "rankers.reranker",
        "rankers.seq2seq",
        "rankers.trainers",
        "retrievers.splade_pooling",
        "runtime.model_checks",
    },
    "transformers": {
        "llms.local",
        "llms.sampling",
        "steps.queries.predictor",
        "rankers.t5_cross_attention",
        "rankers.t5_prompt",
        "rankers.decoder",
        "rankers.prompt_score",
        "rankers.seq2seq",
        "rankers.trainers",
        "rankers.training",
        "vectors.encoder",
        "runtime.model_checks",
    },
    "trectools": {"data.fusion"},
    "vl_convert": {"steps.report.js_libraries"},
}
"""Heavy libraries, and the modules that may import them at their top level."""


@pytest.mark.parametrize("library", sorted(HEAVY))
def test_heavy_libraries_are_imported_only_by_their_users(library):
    found = {name.removeprefix("synthrank.") for name, path in NAMES.items()
             if any(belongs(item, library) for item in imports(path, inside_functions=False))}  # fmt: skip
    assert found <= HEAVY[library]


def test_parsing_the_workflow_loads_nothing_heavy():
    code = (
        "import sys, synthrank.config.study, synthrank.workflow.inputs, synthrank.workflow.code_hash\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SRC)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded
    assert not loaded & {*HEAVY, "numpy", "scipy", "tqdm", "jinja2", "cyclopts", "synthrank.cli"}


COMPUTE = {
    "build_static_model",
    "distil_trainset",
    "draw_figure",
    "encode_collection",
    "encode_dense",
    "encode_sparse",
    "encode_testset",
    "find_leaks",
    "index_dense",
    "measure_passages",
    "pair_trainset",
    "predict_queries",
    "release_passages",
    "score_passages",
    "search_dense",
    "search_sparse",
    "search_testset",
}
"""Steps that import numpy or more before they read a file; steps of tables and of the report do so too."""


def test_other_steps_import_nothing_heavy():
    """A study starts hundreds of steps, and each start waits for its imports. ir_measures imports little."""
    steps = sorted(
        name for name in STEPS if name.split(".")[2] not in ("report", "tables") and name.split(".")[3] not in COMPUTE
    )
    assert len(steps) > 40
    code = (
        "import importlib, sys, synthrank.cli\n"
        "for step in sys.argv[2:]:\n"
        "    importlib.import_module(step)\n"
        "    if found := {name.split('.')[0] for name in sys.modules} & set(sys.argv[1].split()):\n"
        "        sys.exit(f'{step} imports {found}')"
    )
    heavy = " ".join({*HEAVY, "numpy"} - {"ir_measures"})
    done = subprocess.run([sys.executable, "-c", code, heavy, *steps], capture_output=True, text=True, cwd=SRC)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("module", "kinds"),
    [
        ("config.depths", {"depths", "measures"}),
        ("rankers.candidates", set()),
        ("config.testsets", {"testsets"}),
        ("data.trec", set()),
    ],
)
def test_shared_modules_load_no_unrelated_entity_models(module, kinds):
    code = f"import sys, synthrank.{module}; print(*(name for name in sys.modules if 'synthrank.config.' in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SRC)
    assert {name.split(".")[2] for name in done.stdout.split()} - {"base", "yaml_files"} == kinds


# Length


@each(sorted(NAMES))
def test_modules_are_short(name):
    assert len(NAMES[name].read_text(encoding="utf-8").splitlines()) <= 300


def test_snakefiles_are_short():
    assert len((ROOT / "Snakefile").read_text(encoding="utf-8").splitlines()) <= 60
    assert len((ROOT / "rules/common.smk").read_text(encoding="utf-8").splitlines()) <= 100


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
        for name, body in re.findall(pattern, rule_text(path), re.MULTILINE)
    ]


RULES = read_rules()


def each_rule(check):
    return each(RULES, lambda rule: rule.name)(check)


def test_every_rule_is_whole_and_was_read():
    assert [rule.name for rule in RULES] == [name for names in RULE_NAMES.values() for name in names]
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
    assert len(re.findall(r"^ *(?:use )?rule\b", text, re.MULTILINE)) == len(RULES)


@each_rule
def test_rule_has_all_parts_in_order(rule):
    order = ["input", "output", "log", "benchmark", "wildcard_constraints", "conda", "threads", "resources", "params",
             "shell"]  # fmt: skip
    assert re.match(r'    """\S.*\."""\n', rule.head), "its docstring describes it"
    assert [part for part in order if part in rule.parts] == list(rule.parts), "in one order, and no part but these"
    assert set(order) - set(rule.parts) <= {"wildcard_constraints", "threads", "resources"}
    assert rule.parts["params"].splitlines()[1].strip() == f'**step_params("{rule.name}"),'
    assert rule.texts("conda") == [f"../envs/{rule.stage}.yaml"]


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
    assert ("{OF}" in " ".join(outputs)) == (rule.stage in ("tables", "figures", "report"))
    folders = [path.replace("results/{OF}", "results/") for path in outputs]
    assert all(path.startswith((f"results/{rule.stage}/", f"results/{rule.stage}.")) for path in folders)
    wildcards = set(re.findall(r"\{(\w+)\}", " ".join(outputs)))
    constant = set(re.findall(r'^        (\w+)="none"', rule.parts.get("wildcard_constraints", ""), re.MULTILINE))
    named = set(re.findall(r"\{(\w+)\}", rule.texts("log")[0]))
    assert wildcards - constant <= named <= wildcards, "two jobs never share a log"


def step_of(rule):
    return getattr(importlib.import_module(f"synthrank.steps.{rule.stage}.{rule.name}"), rule.name)


def command(rule):
    """Return the options of a rule's command, without inputs and outputs: (keyword, value)."""
    call = ast.parse(rule.parts["shell"].strip()).body[0].value
    assert call.func.id == "step"
    name, *words = [item.value for item in call.args]
    assert name == rule.name
    items = [item if item == "threads" or "wildcards" in item else f"params.{item}" for item in " ".join(words).split()]
    others = {item.arg: item.value.value for item in call.keywords}
    assert (others.pop("launcher", None) is not None) == (rule.name == "train_ranker")
    return [(item.split(".")[-1], f"{{{item}:q}}") for item in items] + list(others.items())


@each_rule
def test_the_options_of_a_rule_are_the_keywords_of_its_step(rule):
    parameters = inspect.signature(step_of(rule)).parameters.values()
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    files = [name for name in rule.items("input") + rule.items("output") if name != "source"]
    options = files + [option for option, _ in command(rule)]
    assert len(options) == len(set(options))
    assert set(options) == {parameter.name for parameter in parameters}


@each_rule
def test_options_of_a_rule_have_a_source(rule):
    for option, value in command(rule):
        for kind, name in re.findall(r"\{(\w+)(?:\.(\w+))?", value):
            if kind == "params":
                assert name in rule.items(kind), f"{option} {value}"
            elif kind == "wildcards":
                assert f"{{{name}}}" in " ".join(rule.texts("output") + rule.texts("log"))
            else:
                assert (kind, name) == ("threads", "")
        quoted = re.findall(r"\{\w+(?:\.[\w.]+)?(:q)?\}", value)
        assert all(quoted) or option == "archives", f"{option} {value}: quote it"


@each_rule
def test_steps_document_each_option(rule):
    step = step_of(rule)
    arguments = inspect.getdoc(step).split("\nArgs:\n")[1].split("\n\n")[0]
    told = re.findall(r"^ {4}(\w+): ", arguments, re.MULTILINE)
    assert sorted(told) == sorted(inspect.signature(step).parameters)


TAKES_NO_PASSAGES = {
    "judge_passages": "scores generated passages",
    "generate_passages": "asks what write_requests wrote",
    "concatenate_replies": "of generate_passages",
    "filter_passages": "of generate_passages",
    "predict_queries": "takes what sample_passages drew",
    "gather_predicted_queries": "of predict_queries",
    "ask_queries": "takes what sample_passages and draw_exemplars drew",
    "gather_asked_queries": "of ask_queries",
    "mix_queries": "takes queries that other rules made",
    "filter_queries": "takes queries that other rules made",
    "rank_candidates": "takes what pool_candidates took; reads their texts",
    "gather_orders": "of rank_candidates",
}
"""The rules that make training data, but take no passage of a corpus that another rule has not taken."""


def test_rules_of_training_data_read_the_excluded_passages():
    """A new rule of these stages has the list as input, or is named above with a reason."""
    makers = {rule.name: rule for rule in RULES if rule.stage in ("passages", "queries", "rankings", "trainsets")}
    takers = {name for name, rule in makers.items() if "excluded" in rule.items("input")}
    assert takers == makers.keys() - TAKES_NO_PASSAGES.keys()
    assert len(takers) == 13
    behind = {step.rsplit(".", 1)[1]: modules_behind(step) for step in STEPS}
    assert {name for name in makers if "synthrank.data.held_out" in behind[name]} == takers, (
        "they read it, and no other way"
    )
    texts = {name for name, rule in makers.items() if "results/corpora/{corpus}/passages.jsonl" in rule.texts("input")}
    assert texts - takers == {"rank_candidates"}


@each([*RULE_FILES, ROOT / "Snakefile"])
def test_rules_use_no_obscure_snakemake_features(path):
    text = path.read_text(encoding="utf-8")
    code = re.sub(r'"""(?:.|\n)*?"""', "", text)
    assert not re.search(r"\blambda\b", code)
    assert not re.search(r"^\s*(run|script|message|retries|group|priority):", code, re.MULTILINE)
    assert not re.search(r"^checkpoint\b|\btouch\(|\btemp\((?!directory\()", code, re.MULTILINE)
    deleted = re.findall(r"\btemp\(.*", code)
    assert len(deleted) == (path.name == "runs.smk"), "nothing is deleted but the vectors of trained models"
    assert path.name in ("Snakefile", "common.smk", "root.smk", "running.smk") or re.match(
        r'"""Stage \w+: .*\n\nTakes  .*', text
    )


def test_the_rules_use_what_common_smk_imports():
    """Ruff does not read Snakefiles."""
    paths = [*RULE_FILES, ROOT / "Snakefile"]
    names = re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in paths))
    lines = re.findall(r"^(?:from \S+ )?import (.+)$", (ROOT / "rules/common.smk").read_text(), re.MULTILINE)
    imported = [name.strip() for line in lines for name in line.split(",")]
    assert len(imported) > 5
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
    # pyserini is installed without its dependencies, which an extra or an environment's file cannot state
    for file in ("Makefile", "Dockerfile", "envs/runs.post-deploy.sh"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.findall(r"(?:pip install|PIP\)).*--no-deps (\S+)", text) == ["pyserini==1.6.0"], file


def test_environments_pin_all_imports_of_steps():
    """Every third-party module that a stage's steps import, inside functions too, is pinned for that stage."""
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
        stage = step.split(".")[2]
        packages = {pin.split("==")[0] for pin in [*core, *extras[stage]]}
        for name in {step, *modules_behind(step)}:
            for found in imports(NAMES[name]):
                top = found.split(".")[0]
                if top not in sys.stdlib_module_names and top != "synthrank":
                    assert provided.get(top, top) in packages, f"{step} reaches {top} through {name}"
