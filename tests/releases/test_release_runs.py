"""Released runs: a header of ir_metadata that says how each came about, before lines that nobody touched."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from synthrank import __version__, machine
from synthrank.errors import BudgetError, DataError
from synthrank.files import sha256_of
from synthrank.releases.release_runs import release_runs
from synthrank.trec import read_run, write_run

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
            runs=at / "runs", suite="toy", ranker=at / f"rankers/{ranker}.yaml", recipe=recipe, llm=llm, seed=7,
            spec=[at / "recipes/zero-shot.yaml"] if trained else [], stats=[at / "stats.json"] if trained else [],
            testsets=[at / f"testsets/{name}.yaml" for name in testsets],
            corpora=[at / "corpora/toy.yaml", at / "corpora/nq.yaml"],
            qrels=[at / f"{name}-qrels.txt" for name in testsets],
            queries=[at / f"{name}-queries.jsonl" for name in testsets],
            first_stages=[at / "retrievers/bm25.yaml", at / "retrievers/other.yaml"] if ranker == "cross" else [],
            measures=["nDCG@10", "MRR@10"], environment=self.root / "envs/runs.yaml",
            template=self.root / "src/synthrank/releases/runs.md.j2", release=self.to,
        )  # fmt: skip
        return {path.name: parted(path) for path in sorted(self.to.glob("*.trec"))}


@pytest.fixture
def world(tmp_path, root):
    return World(tmp_path, root)


def parted(path):
    """Return the metadata and the lines of an annotated run, as repro_eval's reader parts them."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[0] == "# ir_metadata.start\n"
    end = lines.index("# ir_metadata.end\n")
    assert all(line.startswith("#") for line in lines[:end])
    return yaml.safe_load("".join(line.strip("#") for line in lines[1:end])), "".join(lines[end + 1 :])


def test_the_run_reads_back_as_it_was(world, tmp_path):
    released = world.release()
    assert sorted(released) == ["gardens+bm25.trec", "gardens.trec", "nq+other.trec", "nq.trec"]
    for name, (_, lines) in released.items():
        assert lines == (world.folder / "runs" / name).read_text()
    (tmp_path / "read.trec").write_text(released["gardens.trec"][1])
    assert read_run(tmp_path / "read.trec") == RUN
    # What strips comments line by line must find none of the run's own lines among them.
    done = subprocess.run(["grep", "-v", "^# ", world.to / "gardens.trec"], capture_output=True, text=True, check=True)
    assert done.stdout == released["gardens.trec"][1]


def test_every_component_of_primad_is_there(world):
    released = world.release()
    tags = {"gardens": "cross", "gardens+bm25": "cross+bm25", "nq": "cross", "nq+other": "cross+other"}
    assert {name.removesuffix(".trec"): said["tag"] for name, (said, _) in released.items()} == tags
    for said, _ in released.values():
        assert list(said) == [
            "schema-version", "run-version", "tag", "platform", "research goal", "implementation", "method", "actor",
            "data",
        ]  # fmt: skip
        assert said["schema-version"] == 0.1


def test_what_the_header_says(world):
    released = world.release()
    said, fused = released["gardens.trec"][0], released["gardens+bm25.trec"][0]
    assert said["data"]["test collection"] == {
        "name": "gardens", "source": "folder gardens in the layout of BEIR", "split": "test",
        "qrels": f"sha256:{sha256_of(world.folder / 'gardens-qrels.txt')}",
        "topics": f"sha256:{sha256_of(world.folder / 'gardens-queries.jsonl')}", "relevance level": 2,
    }  # fmt: skip
    (training,) = said["data"]["training data"]
    assert (training["name"], training["source"], training["language model"]) == ("zero-shot@5", "toy", "echo")
    assert (training["counts"], training["seed"]) == ({"zero-shot: groups": 5}, 7)
    assert training["recipe"]["positives"][0]["queries"] == 5, "not what the recipe's file says"
    first, ranker = said["method"]["retrieval"]
    assert (first["name"], first["method"], first["params"]["k1"]) == ("bm25", "bm25", 0.8)
    assert (ranker["name"], ranker["method"], ranker["reranks"]) == ("cross", "cross-encoder", "bm25")
    assert (ranker["depth"], ranker["params"]["optimiser"]["learning_rate"]) == (10, 1e-3)
    assert fused["method"]["retrieval"][:2] == [first, ranker]
    assert fused["method"]["retrieval"][2] == {
        "name": "cross+bm25", "method": "reciprocal rank fusion", "params": {"k": 7}, "interpolates": ["cross", "bm25"],
    }  # fmt: skip
    assert said["research goal"]["evaluation"] == {"reported measures": ["nDCG@10", "MRR@10"], "baseline": ["bm25"]}
    assert said["actor"]["name"] == "TO DO"
    implementation = said["implementation"]
    assert implementation["executable"]["cmd"].endswith("results/runs/suites/toy/zero-shot@5/echo/cross/seed-7")
    assert __version__ in implementation["source"]["repository"]
    platform = said["platform"]
    assert "transformers==5.23.0" in platform["software"]["libraries"]["python"]
    assert platform["hardware"]["cpu"]["number of cores"] > 0
    assert re.fullmatch(r"\d+\.\d GB", platform["hardware"]["ram"])
    assert platform["operating system"]["distribution"]


def test_a_test_set_may_name_its_own_first_stage(world):
    said = world.release()["nq+other.trec"][0]
    first, ranker, fused = said["method"]["retrieval"]
    assert (first["name"], ranker["reranks"], ranker["depth"]) == ("other", "other", 20)
    assert fused["interpolates"] == ["cross", "other"]
    assert said["data"]["test collection"]["ir_datasets"] == "beir/nq/test"
    assert said["research goal"]["evaluation"]["baseline"] == ["other"]


def test_an_untrained_ranker_that_searches(world):
    for path in world.folder.glob("runs/*+*"):
        path.unlink()
    said = world.release("bi", "none", "none")["nq.trec"][0]
    assert said["data"]["training data"] == []
    assert [(stage["name"], "reranks" in stage) for stage in said["method"]["retrieval"]] == [("bi", False)]
    assert said["research goal"]["evaluation"]["baseline"] == []
    assert "# Runs of bi on toy, untrained\n" in (world.to / "README.md").read_text()


def test_the_cards_own_lines_of_python_read_a_run(world, monkeypatch, capsys):
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


def test_what_cannot_be_released_leaves_nothing(world):
    (world.folder / "runs/nq.trec").write_text("")
    with pytest.raises(BudgetError, match=r"runs/nq\.trec: no line; there is nothing to release$"):
        world.release()
    (world.folder / "runs/nq.trec").unlink()
    with pytest.raises(DataError, match=r"runs/nq\.trec: is missing; expected one run for each test set"):
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


def test_the_commit_is_that_of_the_code(repository):
    folder, head = repository
    assert machine.commit_of(folder / "code.py") == head
    (folder / "installed.py").write_text("2\n")
    assert machine.commit_of(folder / "installed.py") is None, "what is not tracked is not of this repository"
    assert machine.commit_of(folder / "code.py") == head, "a file that is not tracked is no change"
    (folder / "code.py").write_text("3\n")
    assert machine.commit_of(folder / "code.py") == f"{head} with changes"
    assert machine.commit_of(folder.parent / "elsewhere.py") is None


def test_no_git_no_commit(repository, monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    assert machine.commit_of(repository[0] / "code.py") is None
    assert "gpu" not in machine.hardware()


def test_gpus_are_those_that_nvidia_s_tool_names(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA A100, 40960 MiB'\necho 'NVIDIA A100, 40960 MiB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert machine.hardware()["gpu"] == {"architecture": "NVIDIA A100, NVIDIA A100", "ram": "40960 MiB, 40960 MiB"}
    tool.write_text("#!/bin/sh\necho 'no driver'\nexit 9\n")
    assert "gpu" not in machine.hardware()
