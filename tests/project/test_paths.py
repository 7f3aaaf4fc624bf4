"""The project runs in folders of any name: its path is text for every shell, template and command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from warm import warm_folder

pytestmark = pytest.mark.workflow

NAMES = [
    "my project", "it's", 'a "quote"', "$HOME", "a & touch b", "a; touch b", "(a) {b} {} [c]", "`touch b` #d !e ~f",
    "größe 日本", "back\\slash", "a 'b' \"c\" $d & ; {e} é",
]  # fmt: skip

SBATCH = """\
#!{python}
# Run the job in place of SLURM, with the options and the script that Snakemake passes.
import subprocess, sys
options = sys.argv[1:]
folder = options[options.index("-D") + 1]
script = sys.stdin.read()
wrapped = [option.removeprefix("--wrap=") for option in options if option.startswith("--wrap=")]
done = subprocess.run(["sh", "-c", *(wrapped or [script])], cwd=folder, stdin=subprocess.DEVNULL)
open({states!r}, "w").write("7|" + ("FAILED" if done.returncode else "COMPLETED") + "\\n")
print(7)
"""

SRUN = """\
#!{python}
import os, sys
words = sys.argv[1:]
while words[0].startswith("-"):
    del words[0]
os.execvp(words[0], words)
"""


def little_corpus(folder: Path) -> None:
    data = folder / "data/little"
    (data / "qrels").mkdir(parents=True)
    for name, text in (("corpus", "a passage"), ("queries", "a question?")):
        (data / f"{name}.jsonl").write_text(json.dumps({"_id": "1", "title": "", "text": text}) + "\n")
    (data / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1\t1\t1\n")
    (folder / "config/corpora/little.yaml").write_text("source: beir\nfolder: little\nsplits: {test: qrels/test.tsv}\n")


def project(folder: Path, root: Path) -> Path:
    """Copy the parts of the project that a run needs, with a corpus of one passage."""
    for name in ("rules", "scripts", "src", "envs", "config"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "Snakefile", folder)
    little_corpus(folder)
    return folder


def run(folder: Path, *arguments: str, path: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    hidden = ("PYTHONPATH", "SYNTHRANK_DATA")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    programs = [path, str(warm_folder()), str(Path(sys.executable).parent), environment["PATH"]]
    environment["PATH"] = os.pathsep.join(filter(None, programs))
    return subprocess.run(
        [str(warm_folder() / "snakemake"), *arguments, "--", "results/corpora/little/passages.jsonl"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_project_runs_in_a_folder_of_any_name(tmp_path: Path, root: Path, name: str) -> None:
    folder = project(tmp_path / name, root)
    done = run(folder, "--cores", "1", "--show-failed-logs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "results/corpora/little/passages.jsonl").is_file()
    assert os.listdir(tmp_path) == [name], "no part of the name ran as a command"


def test_project_runs_behind_a_link(tmp_path: Path, root: Path) -> None:
    folder, link = project(tmp_path / "a real one", root), tmp_path / "li nk"
    link.symlink_to(folder)
    done = run(link, "--cores", "1", "--show-failed-logs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "results/corpora/little/passages.jsonl").is_file()


@pytest.mark.parametrize("name", ["my project", NAMES[-1]])
def test_slurm_jobs_run_in_a_folder_of_any_name(tmp_path: Path, root: Path, name: str) -> None:
    folder, programs = project(tmp_path / name, root), tmp_path / "bin"
    programs.mkdir()
    states = tmp_path / "states"
    texts = {
        "sbatch": SBATCH, "srun": SRUN, "squeue": "#!/bin/sh\ncat '{states}'\n",
        "scontrol": "#!/bin/sh\necho MinJobAge = 900 sec\n", "sinfo": "#!/bin/sh\n", "sacct": "#!/bin/sh\n",
        "sacctmgr": "#!/bin/sh\n", "scancel": "#!/bin/sh\n",
    }  # fmt: skip
    for program, text in texts.items():
        (programs / program).write_text(text.format(python=sys.executable, states=str(states)))
        (programs / program).chmod(0o755)
    done = run(
        folder, "--profile", "config/profiles/slurm", "--slurm-init-seconds-before-status-checks", "1",
        "--latency-wait", "5", "--retries", "0", path=str(programs),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "results/corpora/little/passages.jsonl").is_file()
