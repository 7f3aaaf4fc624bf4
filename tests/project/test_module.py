"""Another workflow uses this one as a module, with its own folder, configuration and rules."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from warm import warm_folder

pytestmark = pytest.mark.workflow

OTHER = """\
configfile: "config/config.yaml"


module synthrank:
    snakefile: "{snakefile}"
    config: config


use rule * from synthrank{alias}


rule count_passages:
    input:
        "results/corpora/little/passages.jsonl",
    output:
        "results/count.txt",
    shell:
        "wc -l < {{input}} > {{output}}"
"""


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder; the workflow finds the package without help."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SYNTHRANK_DATA")}
    environment["PATH"] = os.pathsep.join([str(warm_folder()), str(Path(sys.executable).parent), environment["PATH"]])
    return subprocess.run(
        [str(warm_folder() / "snakemake"), "--cores", "1", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def other(tmp_path: Path, root: Path) -> Path:
    """Return the folder of a workflow that uses the project as a module and adds a corpus."""
    folder = tmp_path / "other"
    shutil.copytree(root / "config", folder / "config")
    data = folder / "data/little"
    (data / "qrels").mkdir(parents=True)
    for name, text in (("corpus", "a passage"), ("queries", "a question?")):
        (data / f"{name}.jsonl").write_text(json.dumps({"_id": "1", "title": "", "text": text}) + "\n")
    (data / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1\t1\t1\n")
    (folder / "config/corpora/little.yaml").write_text("source: beir\nfolder: little\nsplits: {test: qrels/test.tsv}\n")
    write(folder, root / "Snakefile")
    return folder


def write(folder: Path, snakefile: Path | str, alias: str = "") -> None:
    (folder / "workflow").mkdir(exist_ok=True)
    (folder / "workflow/Snakefile").write_text(OTHER.format(snakefile=snakefile, alias=alias))


def test_module_job_runs_in_the_other_folder_with_our_code(other: Path, root: Path) -> None:
    done = snakemake(other, "--", "results/count.txt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (other / "results/count.txt").read_text().strip() == "1"
    assert "import" not in (other / "results/logs/build_passages/little.log").read_text()


@pytest.mark.parametrize(("alias", "prefix"), [("", ""), (" as theirs_*", "theirs_")])
def test_all_rules_are_there_under_any_name(other: Path, root: Path, alias: str, prefix: str) -> None:
    write(other, root / "Snakefile", alias)
    done = snakemake(other, "--dry-run", "--quiet", "rules", "--", "results/tables/ood.csv")
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    assert counts[f"{prefix}make_tables"] == "1"
    assert counts[f"{prefix}train_ranker"] == "12", "two recipes, two rankers and three seeds of the other folder"


def test_the_configuration_is_the_other_ones(other: Path) -> None:
    path = other / "config/config.yaml"
    path.write_text(path.read_text().replace("seeds: [1, 2, 3]", "seeds: [1, 2]"))
    done = snakemake(other, "--dry-run", "--quiet", "rules", "--", "results/tables/ood.csv")
    counts = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    assert counts["train_ranker"] == "8"


@pytest.fixture
def repository(root: Path, tmp_path: Path) -> Path:
    """Return a repository with the project in its only commit, which has a tag."""
    folder = tmp_path / "owner/synthrank"
    folder.mkdir(parents=True)
    for name in ("rules", "scripts", "src", "envs"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", ".gitattributes", ".git_archival.txt"):
        shutil.copy(root / name, folder)
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    return folder


def test_module_from_a_tag_includes_the_steps(other: Path, repository: Path, tmp_path: Path, monkeypatch) -> None:
    """As snakedeploy writes it; git is configured to clone from this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in (("COUNT", "1"), ("KEY_0", f"url.{tmp_path}/.insteadOf"), ("VALUE_0", "https://github.com/")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    write(other, "")
    path = other / "workflow/Snakefile"
    path.write_text(
        path.read_text().replace('snakefile: ""', 'snakefile: github("owner/synthrank", path="Snakefile", tag="v1")')
    )
    done = snakemake(other, "--", "results/count.txt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (other / "results/count.txt").read_text().strip() == "1"
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    (unpacked,) = (other / ".snakemake/synthrank").iterdir()
    assert unpacked.name == head.stdout.strip()
    assert (unpacked / ".git_archival.txt").read_text() == f"commit: {unpacked.name}\n"
    done = snakemake(other, "--dry-run", "--quiet", "rules", "--", "results/report.html")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "make_report" in done.stdout, "the page's own files are found beside the rules"
    assert len(list((other / ".snakemake/synthrank").iterdir())) == 1, "unpacked once, and nothing half-written"


def test_module_source_with_only_rules_is_refused_in_one_line(other: Path, repository: Path) -> None:
    subprocess.run(["git", "-C", str(repository), "mv", "-k", "rules", "Snakefile", "src"], check=True)
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "commit", "-qm", "in a folder"], check=True)
    write(other, f"git+file://{repository}/src/Snakefile@main")
    done = snakemake(other, "--dry-run", "--", "results/count.txt")
    assert done.returncode != 0
    assert "synthrank's rules need its other files: use the Snakefile of a clone" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_catalog_file_describes_the_usage(root: Path) -> None:
    import yaml

    usage = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert not usage["software-stack-deployment"]["apptainer"], "the Dockerfile is untested"
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    readme = (root / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme, "without both words the catalog leaves a repository out"
