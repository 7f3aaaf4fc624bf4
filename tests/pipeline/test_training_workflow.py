"""A killed training resumes in Snakemake's next attempt, with more memory and time."""

import json
import re
from pathlib import Path

import pytest
from tiny_models import tiny_encoder
from toy_experiment import make_toy, snakemake

from synthrank.data.files import write_jsonl
from synthrank.data.records import Candidate, Group

pytestmark = pytest.mark.workflow

TARGET = Path("results/checkpoints/human/none/bi-encoder/seed-1")

ENDS = """        self.updates += 1
        import os, signal
        if (self.resumed_at, state.global_step) == (0, 3):
            os.kill(os.getpid(), signal.SIGKILL)
        if (self.resumed_at, state.global_step) == (2, 5):
            os.kill(os.getpid(), signal.SIGTERM)
"""
"""The first attempt is killed in its third update. The second receives SIGTERM in its fifth, as from a scheduler."""


@pytest.fixture
def toy(tmp_path):
    folder = make_toy(tmp_path / "toy")
    texts = [f"the plant number {number} likes shade" for number in range(24)]
    groups = [
        Group(f"q{place}", f"what does plant {place} like", (Candidate("a", text, 1.0), Candidate("b", "frost", 0.0)))
        for place, text in enumerate(texts)
    ]
    write_jsonl(folder / "results/trainsets/human/none/draw-1/groups.jsonl", groups)
    tiny_encoder(folder / "results/models/tiny-encoder")
    spec = folder / "config/rankers/bi-encoder.yaml"
    spec.write_text(spec.read_text().replace("batch_size: 4", "batch_size: 4, save_every: 2"))
    code = folder / "src/synthrank/rankers/trainers.py"
    text = code.read_text()
    assert text.count("        self.updates += 1\n") == 1
    code.write_text(text.replace("        self.updates += 1\n", ENDS))
    return folder


def test_train_ranker_resumes_an_interrupted_attempt(toy):
    done = snakemake(toy, "--cores", "1", "--retries", "2", "--allowed-rules", "train_ranker", "--", str(TARGET))
    made = json.loads((toy / TARGET / "training.json").read_text())
    assert (made["resumed_at"], made["updates"]) == (5, 6)
    assert "error: SIGTERM: stopped after update 5; run the same command to resume" in done.stdout
    assert [path.name for path in (toy / TARGET).parent.glob(".seed-1.state-*")] == []
    for name, amounts in (("mem_mb", [16000, 32000, 48000]), ("runtime", [720, 1440, 2160]), ("gpu", [1, 1, 1])):
        assert [int(found) for found in re.findall(rf"\b{name}=(\d+)", done.stdout)] == amounts


def test_processes_that_share_a_training_are_started_by_torchrun_and_resumed(toy):
    spec = toy / "config/rankers/bi-encoder.yaml"
    spec.write_text(spec.read_text() + "gpus: 2\n")
    command = ("--cores", "2", "--retries", "1", "--allowed-rules", "train_ranker", "--", str(TARGET))
    done = snakemake(toy, *command, check=False)
    assert done.returncode == 1
    assert re.findall(r"\bgpu=(\d+)", done.stdout) == ["2", "2"]
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert errors == ["error: SIGTERM: stopped after update 5; run the same command to resume"], "of one process"
    (state,) = (toy / TARGET).parent.glob(".seed-1.state-*/checkpoint-5")
    assert (state / "complete").is_file()
