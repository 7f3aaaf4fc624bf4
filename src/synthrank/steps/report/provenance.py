"""Provenance of the results: code, machine, versions, models, seeds, configuration and times."""

import csv
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synthrank import __version__
from synthrank.config.base import load, read_yaml
from synthrank.config.models import FolderModel, HubModel, ModelSpec, PackagedModel
from synthrank.runtime.machine import commit_of, hardware, operating_system

UNMEASURED = ("NA", "-", "")
"""Values in a benchmark file that mean "not measured", for example for short jobs."""


def code_and_machine() -> dict[str, str]:
    """Return the code version and the machine that made the page."""
    found, system = hardware(), operating_system()
    cpu, gpu = found["cpu"], found.get("gpu")
    return {
        "synthrank": __version__,
        "commit": commit_of(Path(__file__)) or "unknown (not a Git repository)",
        "Python": platform.python_version(),
        "processor": f"{cpu['model']}, {cpu['number of cores']} cores, {cpu['architecture']}",
        "memory": found.get("ram", "unknown"),
        "GPU": f"{gpu['architecture']} ({gpu['ram']})" if gpu else "none found",
        "system": ", ".join(text for text in system.values() if text),
    }


def models_of(specs: Sequence[Path]) -> list[dict[str, str]]:
    """Return the pretrained models of the experiment with their revisions."""
    return [{"model": path.stem} | _pinned(path) for path in specs if path.parent.name == "models"]


def _pinned(path: Path) -> dict[str, str]:
    spec = load(ModelSpec, path)
    if isinstance(spec, HubModel):
        return {"from": f"model hub, {spec.repo}", "revision": spec.revision}
    if isinstance(spec, PackagedModel):
        return {"from": f"package {spec.package} {spec.version}", "revision": f"sha256 {spec.archive_sha256}"}
    if not isinstance(spec, FolderModel):  # derived from another model, which has a separate row
        return {"from": f"{spec.source} of {spec.model}", "revision": f"see {spec.model}"}
    hashes = ", ".join(f"{name} sha256 {value}" for name, value in spec.sha256.items())
    return {"from": f"folder {spec.path}", "revision": hashes or "not pinned"}


def seeds_of(experiment: Mapping[str, Any], specs: Sequence[Path]) -> list[tuple[str, str]]:
    """Return every stated seed with its place. Other seeds have the default of their schema."""
    rows = [("training (experiment)", ", ".join(map(str, experiment["seeds"])))]
    rows += [(f"{key} (experiment)", str(part["seed"])) for key, part in experiment.items()
             if isinstance(part, dict) and "seed" in part]  # fmt: skip
    for path in specs:
        if path.suffix == ".yaml":
            rows += [(f"{path}: {key}", str(value)) for key, value in _list_seeds(read_yaml(path))]
    return rows


def _list_seeds(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return (key, value) of every key ``seed`` in a file, including nested keys."""
    if isinstance(value, list):
        return [found for item in value for found in _list_seeds(item, prefix)]
    if not isinstance(value, dict):
        return []
    return [
        found
        for key, item in value.items()
        for found in ([(prefix + key, item)] if key == "seed" else _list_seeds(item, f"{prefix}{key}."))
    ]


def pins_of(environments: Sequence[Path]) -> list[tuple[str, str]]:
    """Return the pinned packages of each stage's environment."""
    return [(path.stem, ", ".join(read_yaml(path)["dependencies"][-1]["pip"])) for path in environments]


def settings_yaml(value: Any) -> str:
    """Return settings as YAML in their order, without keys that are null."""
    text: str = yaml.safe_dump(_without_none(value), sort_keys=False, allow_unicode=True, width=100)
    return text


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Took:
    """Resources of one rule: number of jobs, seconds of all jobs together, largest megabytes of a job."""

    rule: str
    jobs: int
    seconds: float
    megabytes: float


def times(folder: Path) -> dict[str, Took]:
    """Return the resources of each rule with benchmark files; empty if the folder is missing."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for rule in sorted(folder.glob("*/")):
        for path in sorted(rule.rglob("*.tsv")):
            with path.open(encoding="utf-8", newline="") as stream:
                row = next(csv.DictReader(stream, delimiter="\t"), None)
            if row is not None:
                found[rule.name].append((_number(row.get("s")), _number(row.get("max_rss"))))
    return {
        rule: Took(rule, len(jobs), sum(job[0] for job in jobs), max(job[1] for job in jobs))
        for rule, jobs in found.items()
    }


def _number(text: str | None) -> float:
    return 0.0 if text is None or text in UNMEASURED else float(text)


def rule_rows(
    rules: Sequence[Sequence[str]],
    edges: Sequence[Sequence[str]],
    took: Mapping[str, Took],
    dollars: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Return, per rule, its purpose, the rules that it reads from, and its resources if they were measured."""
    return [
        {
            "rule": name,
            "stage": stage,
            "does": purpose,
            "reads": ", ".join(sorted(made for made, reader in edges if reader == name)),
            "took": took.get(name),
            "usd": dollars.get(name),
        }
        for name, stage, purpose in rules
    ]
