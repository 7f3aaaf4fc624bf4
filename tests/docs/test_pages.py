"""Follow every page of docs/: its commands are dry-run, and run with `-m pages`.

The project is a copy with a small default experiment (small_project.py); commands run unchanged.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docs.pages import PAGES, PROJECT, Block, blocks_of, steps_of
from docs.small_project import SHRUNK, in_small, make_small
from warm import warm_folder

from synthrank.data.records import Judgment
from synthrank.data.trec import read_qrels, read_run, write_qrels, write_run
from synthrank.stats.measures import measure_run

LARGE = "config/paper.yaml"
"""Planning the full study takes as long as planning all pages."""
WRITTEN = {"imported-passages": "data/mine.jsonl"}
"""Files that a page's program writes from results; planning needs them."""
RUN = "results/runs/testsets/cython-headings/human/none/static/seed-1.trec"
SCORES = "results/metrics/testsets/cython-headings/human/none/static/seed-1.csv"
QRELS = "results/corpora/cython-headings/test/qrels.txt"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh copy of the project without results."""
    return make_small(tmp_path_factory.mktemp("docs") / "project")


@pytest.fixture
def project(small: Path, tmp_path: Path) -> Path:
    """Return a copy that a page may change."""
    return Path(shutil.copytree(small, tmp_path / "project", symlinks=True))


def shell(project: Path, text: str) -> str:
    """Run lines in a shell in the project, with its environment active."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNTHRANK_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PATH"] = os.pathsep.join([str(warm_folder()), str(Path(sys.executable).parent), environment["PATH"]])
    environment["PYTHONPATH"] = str(project / "src")  # the environment is installed from another copy
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not done.returncode, f"{text}\n{done.stdout[-4000:]}"
    return done.stdout


def write(project: Path, block: Block) -> None:
    """Write a file of a page."""
    assert Path(block.file).parent == Path() or (project / block.file).parent.is_dir(), f"{block.file}: in no folder"
    text = in_small(block.text) if block.file.startswith(SHRUNK) else block.text
    (project / block.file).write_text(text, encoding="utf-8")


class Plan:
    """The Snakemake commands of a page; one dry run plans all commands with the same experiment."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.targets: dict[str, list[str]] = {}

    def add(self, words: list[str]) -> None:
        options, targets = words[1 : words.index("--")], words[words.index("--") + 1 :]

        config = options[options.index("--configfile") + 1] if "--configfile" in options else ""
        self.targets.setdefault(config, []).extend(targets)

    def check(self) -> None:
        """Dry-run the added commands: every target can be made from the current files."""
        for config, targets in self.targets.items():
            if config == LARGE:
                continue
            given = f"--configfile {config}" if config else ""
            wanted = " ".join(dict.fromkeys(targets))
            shell(self.project, f"snakemake --dry-run --quiet all {given} -- {wanted}")
        self.targets.clear()


@pytest.mark.workflow
@pytest.mark.parametrize("page", [page for page in PAGES if any("snakemake" in step.text for step in steps_of(page))])
def test_every_step_of_a_page_can_be_planned(page: str, project: Path) -> None:
    if page in WRITTEN:
        (project / WRITTEN[page]).write_text("")
    plan = Plan(project)
    for step in steps_of(page):
        if step.file:
            if (project / step.file).exists():
                plan.check()  # earlier commands are about the file before this change
            write(project, step)
            continue
        for line in step.text.splitlines():
            command = line.split(" ")[0]
            if command == "snakemake":
                plan.add(shlex.split(line))
            elif command == "make":
                shell(project, line.replace("make", "make --dry-run", 1))
            elif command in (
                "mkdir",
                "sed",
                "mv",
                "touch",
            ):  # the other commands read results, which planning does not have
                shell(project, line)
    plan.check()


@pytest.mark.pages
@pytest.mark.parametrize("page", [page for page in PAGES if steps_of(page) and page != "checks"])
def test_commands_of_a_page_run(page: str, project: Path) -> None:
    """Run all commands of a page, which takes some minutes."""
    for step in steps_of(page):
        if step.file:
            write(project, step)
        else:
            shell(project, step.text)


def test_blocks_run_or_state_a_reason() -> None:
    for page in PAGES:
        for block in blocks_of(page):
            assert block.left_out or block.file or block.language in ("bash", ""), f"{page}: {block.text[:60]}"
            assert not (block.left_out and block.file), f"{page}: {block.file}"


def test_numbers_of_the_page_on_reproduction_agree(project: Path) -> None:
    """A made-up run and graded qrels: the mean of the scores equals the output of each tool on the page."""
    passages = [f"p{place:02}" for place in range(30)]
    queries = [f"q{place}" for place in range(7)]
    judged = [
        Judgment(query, name, (place * 7 + of) % 4)
        for of, query in enumerate(queries)
        for place, name in enumerate(passages)
        if (place + of) % 5 == 0
    ]
    (project / QRELS).parent.mkdir(parents=True)
    (project / RUN).parent.mkdir(parents=True)
    (project / SCORES).parent.mkdir(parents=True)
    write_qrels(project / QRELS, judged)
    # trectools skips queries without a ranking, so every query has one
    scored = {
        query: [(name, float((place * (3 + of)) % 31)) for place, name in enumerate(passages)]
        for of, query in enumerate(queries)
    }
    write_run(project / RUN, scored, "test")
    values = measure_run(read_run(project / RUN), read_qrels(project / QRELS), ["nDCG@10"], 1)
    rows = [f"static,human,none,1,cython-headings,{name},{query},{value}" for name, query, value in values]
    (project / SCORES).write_text("\n".join(["ranker,recipe,llm,seed,testset,measure,query_id,value", *rows]) + "\n")
    commands = [step.text for step in steps_of("reproduce") if "snakemake" not in step.text]
    computed = [text for text in commands if QRELS in text or SCORES in text]
    assert len(computed) == 4
    shown = [re.search(r"0\.\d{4}", shell(project, text))[0] for text in computed]
    mean = sum(value for _, _, value in values) / len(values)
    assert 0.1 < mean < 0.9
    assert shown == [f"{mean:.4f}"] * 4


def test_the_row_that_is_reproduced_is_one_of_the_demo(project: Path) -> None:
    for page in ("reproduce", "tables"):
        (line,) = [text for step in steps_of(page) for text in step.text.splitlines() if "docs/demo/ood.csv" in text]
        assert shell(project, line).startswith("static,human,none,")


def test_tests_on_the_page_of_checks_exist() -> None:
    rows = [line for line in (PROJECT / "docs/checks.md").read_text().splitlines() if re.match(r"\| [^-]", line)]
    rows = [row for row in rows if not row.startswith("| check |") and row.count(" |") == 4]
    assert len(rows) > 40
    for row in rows:
        _, why, code, test, _ = (cell.strip() for cell in row.split(" |"))
        assert why
        modules = re.findall(r"`([\w/]+(?:\.py|/))`", code)
        assert modules or code == "all steps", row
        for module in modules:
            assert (PROJECT / "src/synthrank" / module).exists(), module
        file, name = re.fullmatch(r"`([\w/]+\.py)::(\w+)`", test).groups()
        assert f"\ndef {name}(" in (PROJECT / "tests" / file).read_text(encoding="utf-8"), test


def test_every_column_of_a_table_is_explained() -> None:
    page = (PROJECT / "docs/tables.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", page)) | {"distinct_2", "query_overlap_without_stop_words"}
    explained |= {f"delta_control{end}" for end in ("", "_low", "_high")} | {"p_control", "role"}
    made = (f"make_{name}_table" for name in ("enrichment", "sizes", "bias", "ablation", "twolar", "validity"))
    for table in ("claims", "id_ood_rows", *made):
        tree = (PROJECT / f"src/synthrank/steps/tables/{table}.py").read_text(encoding="utf-8")
        for body in re.findall(r"^class (?:\w+Row|Measured|Leaked):\n(.*?)(?=^\S|\Z)", tree, re.DOTALL | re.MULTILINE):
            for column in re.findall(r"^    (\w+): ", body, re.MULTILINE):
                assert column in explained, f"{table}: {column}"
