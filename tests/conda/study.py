"""A toy whose targets need a job of every stage, and so every environment."""

from pathlib import Path

from toy_experiment import PASSAGES, make_toy, publish_elsewhere

TARGETS = (
    "results/tables/ood.csv",
    "results/tables/validity.csv",
    "results/figures/passages.svg",
    "results/queries/gardens/titles/queries.jsonl",
    "results/rankings/gardens/both/four/likelihood/echo/orders.jsonl",
    "results/releases/passages/gardens/zero-shot/draw-0/echo",
    "results/report.html",
)


def make_study(folder: Path) -> Path:
    """Return a toy of one ranker in ``folder``, with the sections that the targets need."""
    make_toy(folder)
    publish_elsewhere(folder)
    path = folder / "config" / "config.yaml"
    path.write_text(path.read_text().replace("[cross-encoder, bi-encoder]", "[bi-encoder]") + PASSAGES)
    return folder
