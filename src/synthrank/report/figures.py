"""Figures as the page shows them: the drawing, and its title and caption as words of the page."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its name, title, caption (what it shows and what it does not), and Vega-Lite specification."""

    name: str
    title: str
    caption: tuple[str, ...]
    spec: dict[str, Any]


def read_figure(path: Path) -> Figure:
    """Read results/figures/{figure}.vl.json; its title leaves the drawing, for words of a page wrap on a phone."""
    spec = json.loads(path.read_text(encoding="utf-8"))
    title = spec.pop("title", {"text": path.name})
    return Figure(path.name.removesuffix(".vl.json"), title["text"], tuple(title.get("subtitle", ())), spec)
