"""The profiles name rules that exist, and those that need a GPU."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import rule_text
from warm import warm_folder

PROFILES = ("profiles/default", *(f"config/profiles/{name}" for name in ("slurm", "slurm-gres", "kubernetes")))
GRES = {
    "1": "gpu:1",
    "inputs.llms.gpus": "'gpu:1' if input.model else ''",
    "inputs.checkpoints.training_gpus": "f'gpu:{threads}'",
    "inputs.trainsets.gpus": "'gpu:1' if input.guard_model or input.dropped_model or input.teacher_model else ''",
}
"""Settings of a rule as the second profile states them; expressions see wildcards, input, threads and attempt."""
RULE = re.compile(r"^rule (\w+):\n((?:(?:    .*)?\n)*)", re.MULTILINE)


@pytest.fixture(scope="module")
def rules(root: Path) -> dict[str, str]:
    """Return the text of every rule."""
    return {name: body for path in (root / "rules").glob("*.smk") for name, body in RULE.findall(rule_text(path))}


def profile(root: Path, name: str) -> dict:
    return yaml.safe_load((root / f"config/profiles/{name}/config.yaml").read_text())


def gpus(body: str) -> str:
    found = re.search(r"^        gpu=(.+),$", body, re.MULTILINE)
    return found[1] if found else ""


def test_gres_takes_the_place_of_gpu_in_every_rule_that_states_it(root: Path, rules: dict[str, str]) -> None:
    told = profile(root, "slurm-gres")
    assert list(told) == ["set-resources"], "a second profile replaces whole entries of the first"
    assert set(told["set-resources"]) == {name for name, body in rules.items() if gpus(body)}
    for name, resources in told["set-resources"].items():
        assert resources["gpu"] == 0
        assert resources["gres"] == GRES[gpus(rules[name])], name
    assert all(asks_for_a_model(body) for body in rules.values() if gpus(body) == "inputs.llms.gpus")
    assert "    threads: inputs.checkpoints.training_gpus\n" in rules["train_ranker"]


def asks_for_a_model(body: str) -> re.Match[str] | None:
    return re.search(r'^        model=entity\("results/models/{(augmentation\.)?llm\.weights}"\),$', body, re.MULTILINE)


def test_groups_hold_rules_without_gpus(root: Path, rules: dict[str, str]) -> None:
    grouped = profile(root, "slurm")["groups"]
    assert grouped
    for name in grouped:
        assert name in rules
        assert not gpus(rules[name]), f"{name}: a group's GPU would idle"


def test_cluster_names_are_only_in_profiles(root: Path) -> None:
    words = re.compile(r"slurm_partition|slurm_account|slurm_extra|\bconstraint=|\bgres=|\bqos=")
    for path in [root / "Snakefile", *(root / "rules").glob("*.smk")]:
        assert not words.search(path.read_text()), path


def test_the_readme_shows_the_commands_of_the_page(root: Path) -> None:
    """tests/slurm runs the commands of the README, and the one of the page that submits Snakemake."""
    section = (root / "README.md").read_text().split("\n## On a cluster\n")[1].split("\n## ")[0]
    shown, page = (
        re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        for text in (section, (root / "docs/cluster.md").read_text())
    )
    assert len(shown) == 1
    assert shown[0] in page
    assert "`make recover`" in section
    assert "make recover\n" in page
    assert sum(block.startswith("sbatch ") for block in page) == 1


@pytest.mark.parametrize("name", PROFILES)
def test_every_entry_has_its_reason(root: Path, name: str) -> None:
    lines = (root / name / "config.yaml").read_text().splitlines()
    entries = [number for number, line in enumerate(lines) if re.match(r"[a-z]", line)]
    for number in entries:
        above = lines[number - 1]
        # each entry of a section has its reason
        neighbour = number - 1 in entries or (not above and lines[number].endswith(":"))
        assert above.startswith("#") or neighbour, lines[number]


def test_snakemake_finds_the_default_profile_by_itself(root: Path, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(
        "rule all:\n    output: 'x'\n    log: 'log'\n    shell: 'echo error: so and so >{log}; false'\n"
    )
    for name in ("profiles", "config"):
        (tmp_path / name).symlink_to(root / name)
    done = subprocess.run(
        [warm_folder() / "snakemake", "--cores", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "profile profiles/default" in done.stdout + done.stderr
    assert "error: so and so" in done.stdout + done.stderr, "the line with the solution is shown"


def test_the_partitions_of_the_profile_split_by_gpus(root: Path) -> None:
    told = profile(root, "slurm")
    partitions = yaml.safe_load((root / told["slurm-partition-config"]).read_text())["partitions"]
    assert [bool(limits.get("max_gpu")) for limits in partitions.values()] == [False, True]
