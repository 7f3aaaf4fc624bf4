"""Where everything on the page came from: code, machine, versions, models, configuration, time."""

import csv
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synthrank import __version__
from synthrank.machine import commit_of, hardware, operating_system
from synthrank.specs.base import load, read_yaml
from synthrank.specs.models import FolderModel, HubModel, ModelSpec, PackagedModel

UNMEASURED = ("NA", "-", "")
"""What stands in a benchmark file where nothing was measured, as for jobs that were too short."""


def code_and_machine() -> dict[str, str]:
    """Return what made the page."""
    found, system = hardware(), operating_system()
    cpu, gpu = found["cpu"], found.get("gpu")
    return {
        "synthrank": __version__,
        "commit": commit_of(Path(__file__)) or "not known: the code is in no repository",
        "Python": platform.python_version(),
        "processor": f"{cpu['model']}, {cpu['number of cores']} cores, {cpu['architecture']}",
        "memory": found.get("ram", "not known"),
        "GPU": f"{gpu['architecture']} ({gpu['ram']})" if gpu else "none found",
        "system": ", ".join(text for text in system.values() if text),
    }


def models_of(specs: Sequence[Path]) -> list[dict[str, str]]:
    """Return which pretrained models the experiment uses, each at its revision."""
    return [{"model": path.stem} | _pinned(path) for path in specs if path.parent.name == "models"]


def _pinned(path: Path) -> dict[str, str]:
    spec = load(ModelSpec, path)
    if isinstance(spec, HubModel):
        return {"from": f"model hub, {spec.repo}", "revision": spec.revision}
    if isinstance(spec, PackagedModel):
        return {"from": f"package {spec.package} {spec.version}", "revision": f"sha256 {spec.archive_sha256}"}
    if not isinstance(spec, FolderModel):  # made here from another one, which has a row of its own
        return {"from": f"{spec.source} of {spec.model}", "revision": f"that of {spec.model}"}
    hashes = ", ".join(f"{name} sha256 {value}" for name, value in spec.sha256.items())
    return {"from": f"folder {spec.path}", "revision": hashes or "not pinned"}


def seeds_of(experiment: Mapping[str, Any], specs: Sequence[Path]) -> list[tuple[str, str]]:
    """Return every seed, by where it is stated; one that a file does not state has its kind's default."""
    rows = [("training (experiment)", ", ".join(map(str, experiment["seeds"])))]
    rows += [(f"{key} (experiment)", str(part["seed"])) for key, part in experiment.items()
             if isinstance(part, dict) and "seed" in part]  # fmt: skip
    for path in specs:
        if path.suffix == ".yaml":
            rows += [(f"{path}: {key}", str(value)) for key, value in _stated(read_yaml(path))]
    return rows


def _stated(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return (key, value) of every key ``seed`` in a file, nested ones included."""
    if isinstance(value, list):
        return [found for item in value for found in _stated(item, prefix)]
    if not isinstance(value, dict):
        return []
    return [
        found
        for key, item in value.items()
        for found in ([(prefix + key, item)] if key == "seed" else _stated(item, f"{prefix}{key}."))
    ]


def pins_of(environments: Sequence[Path]) -> list[tuple[str, str]]:
    """Return the packages that each stage's environment pins."""
    return [(path.stem, ", ".join(read_yaml(path)["dependencies"][-1]["pip"])) for path in environments]


def as_yaml(value: Any) -> str:
    """Return settings as YAML, keys in their order, without those that are not set."""
    text: str = yaml.safe_dump(_without_none(value), sort_keys=False, allow_unicode=True, width=100)
    return text


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Took:
    """What the jobs of one rule took: how many, seconds of all together, and the most megabytes of one."""

    rule: str
    jobs: int
    seconds: float
    megabytes: float


def times(folder: Path) -> dict[str, Took]:
    """Return what each rule took whose benchmark files are there; nothing where the folder is not."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream, delimiter="\t"), None)
        if row is not None:
            found[path.relative_to(folder).parts[0]].append((_number(row.get("s")), _number(row.get("max_rss"))))
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
    """Return for each rule what it does, what it reads, and what its jobs took where that was measured."""
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
