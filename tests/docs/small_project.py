"""The default experiment made small: all entity files of the project, with tiny models and made-up texts.

Pages of docs/ use the names of the default experiment; their commands run here unchanged.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import yaml
from toy_experiment import PROJECT, make_toy

KEPT = ("Makefile", "pyproject.toml", "README.md", ".gitignore")
GARDENS = {
    "train": "qrels/train.tsv",
    "dev": {"file": "qrels/test.tsv", "start": 0.0, "end": 0.5},
    "test": {"file": "qrels/test.tsv", "start": 0.5, "end": 1.0},
}
KITCHENS = {"test": "qrels/test.tsv"}
CORPORA = {
    f"{name}{kind}": ("gardens", GARDENS) if name == "python" else ("kitchens", KITCHENS)
    for name in ("python", "sqlalchemy", "celery", "lxml", "cython")
    for kind in ("-headings", "-faq" if name == "python" else "")
}
FOLDERS = {
    **dict.fromkeys(("all-minilm-l6-v2", "smollm2-table", "smollm2-table-idf"), "tiny-encoder"),
    "splade-tiny": "tiny-splade",
}
ECHOED = "backend: echo\n"
POSITIONS = 128
"""Tokens that the tiny models can read."""
SHRUNK = ("config/recipes", "config/rankers", "config/retrievers")
"""Folders of entities that :func:`in_small` changes."""
LENGTH = re.compile(r"^((?:eval_)?max_length: )\d{3,}", re.MULTILINE)


def make_small(folder: Path) -> Path:
    """Copy the project with its configuration, and replace large collections and models by small ones."""
    make_toy(folder)
    shutil.rmtree(folder / "config")
    shutil.copytree(PROJECT / "config", folder / "config")
    for name in KEPT:
        shutil.copy(PROJECT / name, folder / name)
        os.utime(folder / name, (0, 0))  # with an old time, so that make has nothing to install
    shutil.copytree(PROJECT / "docs", folder / "docs")
    shutil.copytree(PROJECT / "benchmarks", folder / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(sys.prefix)
    for name, (data, splits) in CORPORA.items():
        _write(
            folder / f"config/corpora/{name}.yaml",
            {
                "source": "beir",
                "folder": data,
                "splits": splits,
                "passage_words": 60,
                "development": "dev" if "dev" in splits else None,
            },
        )
    for name, model in FOLDERS.items():
        _write(folder / f"config/models/{name}.yaml", {"source": "folder", "path": f"models/{model}"})
    (folder / "config/llms/smollm2-135m.yaml").write_text(ECHOED)
    for kind in SHRUNK:
        for path in (folder / kind).glob("*.yaml"):
            path.write_text(in_small(path.read_text()))
    experiment = folder / "config/config.yaml"
    experiment.write_text(experiment.read_text().replace("queries: [40, 80]", "queries: [6]").replace("@80", "@6"))
    return folder


def in_small(entity: str) -> str:
    """Return an entity with the training queries of the small corpus and a length that the tiny models can read."""
    return LENGTH.sub(rf"\g<1>{POSITIONS}", re.sub(r"queries: (?:48|160)\b", "queries: 12", entity))


def _write(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value))
