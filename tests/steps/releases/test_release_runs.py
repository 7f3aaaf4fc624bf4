"""Released runs: an ir_metadata header with the provenance, before the unchanged lines of the run."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from synthrank import __version__
from synthrank.data.files import sha256_of
from synthrank.data.trec import read_run, write_run
from synthrank.errors import BudgetError, DataError
from synthrank.runtime import machine
from synthrank.steps.releases.release_runs import release_runs

COMMON = "base: {model: tiny}\nmax_length: 48\noptimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 4}\n"
ENTITIES = {
    "rankers/cross": f"architecture: cross-encoder\n{COMMON}loss: lambda\n"
    "rerank: {retriever: bm25, depth: 10, fusion_k: 7}\n",
    "rankers/bi": f"architecture: bi-encoder\n{COMMON}loss: multiple-negatives\n",
    "recipes/zero-shot": "kind: pairs\ncorpus: toy\npositives: [{paradigm: zero-shot, queries: 12}]\n"
    "negatives: {source: human, retriever: bm25}\n",
    "retrievers/bm25": "kind: bm25\nk1: 0.8\n",
    "retrievers/other": "kind: recorded\nfile: other.trec\n",
    "testsets/gardens": "corpus: toy\nsplit: test\nrelevance_level: 2\n",
    "testsets/nq": "corpus: nq\nsplit: test\nfirst_stage: other\ndepth: 20\n",
    "corpora/toy": "source: beir\nfolder: gardens\nsplits: {test: qrels/test.tsv}\n",
    "corpora/nq": "source: ir_datasets\ndataset: beir/nq\nsplits: {test: beir/nq/test}\n",
}
RUN = {"q1": [("p2", 3.0), ("p1", 1.5)], "q#2": [("p#1", -2.25)]}


class World:
    def __init__(self, folder, root):
        self.folder, self.root, self.to = folder, root, folder / "release"
        for name, text in ENTITIES.items():
            path = folder / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        for testset, first in (("gardens", "bm25"), ("nq", "other")):
            write_run(folder / f"runs/{testset}.trec", RUN, "cross")
            write_run(folder / f"runs/{testset}+{first}.trec", {"q1": [("p1", 0.125)]}, f"cross+{first}")
            (folder / f"{testset}-qrels.txt").write_text(f"q1 0 {testset} 1\n")
            (folder / f"{testset}-queries.jsonl").write_text("{}\n")
        (folder / "stats.json").write_text(json.dumps({"zero-shot": {"groups": 5}}))

    def release(self, ranker="cross", recipe="zero-shot@5", llm="echo"):
        at, testsets = self.folder, ("gardens", "nq")
        trained = recipe != "none"
        release_runs(
            runs=[at / f"runs/{name}.trec" for name in testsets],
            fused=[at / "runs/gardens+bm25.trec", at / "runs/nq+other.trec"] if ranker == "cross" else [],
            suite="toy", ranker=at / f"rankers/{ranker}.yaml", recipe=recipe, llm=llm, seed=7,
            spec=[at / "recipes/zero-shot.yaml"] if trained else [], stats=[at / "stats.json"] if trained else [],
            testsets=[at / f"testsets/{name}.yaml" for name in testsets],
            corpora=[at / "corpora/toy.yaml", at / "corpora/nq.yaml"],
            qrels=[at / f"{name}-qrels.txt" for name in testsets],
            queries=[at / f"{name}-queries.jsonl" for name in testsets],
            first_stages=[at / "retrievers/bm25.yaml", at / "retrievers/other.yaml"] if ranker == "cross" else [],
            measures=["nDCG@10", "MRR@10"], environment=self.root / "envs/runs.yaml",
            template=self.root / "src/synthrank/steps/releases/runs.md.j2", release=self.to,
        )  # fmt: skip
        return {path.name: parted(path) for path in sorted(self.to.glob("*.trec"))}


@pytest.fixture
def world(tmp_path, root):
    return World(tmp_path, root)


def parted(path):
    """Return the metadata and the lines of an annotated run, separated like repro_eval's reader does."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[0] == "# ir_metadata.start\n"
    end = lines.index("# ir_metadata.end\n")
    assert all(line.startswith("#") for line in lines[:end])
    return yaml.safe_load("".join(line.strip("#") for line in lines[1:end])), "".join(lines[end + 1 :])


def test_release_runs_keeps_the_lines_of_the_run(world, tmp_path):
    released = world.release()
    assert sorted(released) == ["gardens+bm25.trec", "gardens.trec", "nq+other.trec", "nq.trec"]
    for name, (_, lines) in released.items():
        assert lines == (world.folder / "runs" / name).read_text()
    (tmp_path / "read.trec").write_text(released["gardens.trec"][1])
    assert read_run(tmp_path / "read.trec") == RUN
    # Removing comment lines must keep all lines of the run.
    done = subprocess.run(["grep", "-v", "^# ", world.to / "gardens.trec"], capture_output=True, text=True, check=True)
    assert done.stdout == released["gardens.trec"][1]


def test_release_runs_header_has_every_primad_component(world):
    released = world.release()
    tags = {"gardens": "cross", "gardens+bm25": "cross+bm25", "nq": "cross", "nq+other": "cross+other"}
    assert {name.removesuffix(".trec"): header["tag"] for name, (header, _) in released.items()} == tags
    for header, _ in released.values():
        assert list(header) == [
            "schema-version", "run-version", "tag", "platform", "research goal", "implementation", "method", "actor",
            "data",
        ]  # fmt: skip
        assert header["schema-version"] == 0.1


def test_release_runs_header_values(world):
    released = world.release()
    header, fused = released["gardens.trec"][0], released["gardens+bm25.trec"][0]
    assert header["data"]["test collection"] == {
        "name": "gardens", "source": "folder gardens in the layout of BEIR", "split": "test",
        "qrels": f"sha256:{sha256_of(world.folder / 'gardens-qrels.txt')}",
        "topics": f"sha256:{sha256_of(world.folder / 'gardens-queries.jsonl')}", "relevance level": 2,
    }  # fmt: skip
    (training,) = header["data"]["training data"]
    assert (training["name"], training["source"], training["language model"]) == ("zero-shot@5", "toy", "echo")
    assert (training["counts"], training["seed"]) == ({"zero-shot: groups": 5}, 7)
    assert training["recipe"]["positives"][0]["queries"] == 5, "@5 replaces the number of the file"
    first, ranker = header["method"]["retrieval"]
    assert (first["name"], first["method"], first["params"]["k1"]) == ("bm25", "bm25", 0.8)
    assert (ranker["name"], ranker["method"], ranker["reranks"]) == ("cross", "cross-encoder", "bm25")
    assert (ranker["depth"], ranker["params"]["optimiser"]["learning_rate"]) == (10, 1e-3)
    assert fused["method"]["retrieval"][:2] == [first, ranker]
    assert fused["method"]["retrieval"][2] == {
        "name": "cross+bm25", "method": "reciprocal rank fusion", "params": {"k": 7}, "interpolates": ["cross", "bm25"],
    }  # fmt: skip
    assert header["research goal"]["evaluation"] == {"reported measures": ["nDCG@10", "MRR@10"], "baseline": ["bm25"]}
    assert header["actor"]["name"] == "TO DO"
    implementation = header["implementation"]
    assert implementation["executable"]["cmd"] == f"snakemake --cores 1 -- {world.folder / 'runs/gardens.trec'}"
    assert fused["implementation"]["executable"]["cmd"].endswith("runs/gardens+bm25.trec")
    assert __version__ in implementation["source"]["repository"]
    platform = header["platform"]
    assert "transformers==5.23.0" in platform["software"]["libraries"]["python"]
    assert platform["hardware"]["cpu"]["number of cores"] > 0
    assert re.fullmatch(r"\d+\.\d GB", platform["hardware"]["ram"])
    assert platform["operating system"]["distribution"]


def test_release_runs_header_uses_the_first_stage_of_the_test_set(world):
    header = world.release()["nq+other.trec"][0]
    first, ranker, fused = header["method"]["retrieval"]
    assert (first["name"], ranker["reranks"], ranker["depth"]) == ("other", "other", 20)
    assert fused["interpolates"] == ["cross", "other"]
    assert header["data"]["test collection"]["ir_datasets"] == "beir/nq/test"
    assert header["research goal"]["evaluation"]["baseline"] == ["other"]


def test_release_runs_header_of_an_untrained_retriever(world):
    for path in world.folder.glob("runs/*+*"):
        path.unlink()
    header = world.release("bi", "none", "none")["nq.trec"][0]
    assert header["data"]["training data"] == []
    assert [(stage["name"], "reranks" in stage) for stage in header["method"]["retrieval"]] == [("bi", False)]
    assert header["research goal"]["evaluation"]["baseline"] == []
    assert "# Runs of bi on toy, untrained\n" in (world.to / "README.md").read_text()


def test_code_of_the_runs_card_reads_a_run(world, monkeypatch, capsys):
    world.release()
    card = (world.to / "README.md").read_text(encoding="utf-8")
    assert "# Runs of cross on toy, trained on zero-shot@5, seed 7\n" in card
    assert "| `gardens.trec` | 2 | 3 | cross |\n" in card
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(world.to)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "gardens 3 lines\n"
    done = subprocess.run(["sha256sum", "--strict", "-c", "sha256.txt"], cwd=world.to, capture_output=True, text=True)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5)


def test_release_runs_refuses_a_missing_or_empty_run(world):
    (world.folder / "runs/nq.trec").write_text("")
    with pytest.raises(BudgetError, match=r"runs/nq\.trec: the run is empty; a release needs at least one line$"):
        world.release()
    (world.folder / "runs/nq.trec").unlink()
    with pytest.raises(DataError, match=r"runs/nq\.trec: cannot be read"):
        world.release()
    assert not world.to.exists()


# The machine and the commit


@pytest.fixture
def repository(tmp_path, monkeypatch):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "code.py").write_text("1\n")
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "code.py"], ["commit", "-q", "-m", "first", "--no-gpg-sign"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return folder, head.stdout.strip()


def test_commit_of_returns_the_commit_of_tracked_code(repository):
    folder, head = repository
    assert machine.commit_of(folder / "code.py") == head
    (folder / "installed.py").write_text("2\n")
    assert machine.commit_of(folder / "installed.py") is None, "an untracked file has no commit"
    assert machine.commit_of(folder / "code.py") == head, "an untracked file does not change the state"
    (folder / "code.py").write_text("3\n")
    assert machine.commit_of(folder / "code.py") == f"{head} with changes"
    assert machine.commit_of(folder.parent / "elsewhere.py") is None


def test_commit_of_without_git_returns_none(repository, monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    assert machine.commit_of(repository[0] / "code.py") is None
    assert "gpu" not in machine.hardware()


def test_hardware_lists_gpus_of_nvidia_smi(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA A100, 40960 MiB'\necho 'NVIDIA A100, 40960 MiB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert machine.hardware()["gpu"] == {"architecture": "NVIDIA A100, NVIDIA A100", "ram": "40960 MiB, 40960 MiB"}
    tool.write_text("#!/bin/sh\necho 'no driver'\nexit 9\n")
    assert "gpu" not in machine.hardware()
