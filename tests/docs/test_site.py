"""The site is built strictly, shows every key, rule and module, and loads nothing from the network."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

needs_mkdocs = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("mkdocs", "material", "mkdocstrings")),
    reason="the extra docs is not installed; `make docs` installs it",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr[-4000:]
    return folder


@needs_mkdocs
def test_every_key_of_every_kind_has_a_row(site: Path) -> None:
    for path in (PROJECT / "config/schemas").glob("*.json"):
        page = (site / f"reference/config/{path.stem}.html").read_text(encoding="utf-8")
        schema = json.loads(path.read_text(encoding="utf-8"))
        for part in [schema, *schema.get("$defs", {}).values()]:
            for key, value in part.get("properties", {}).items():
                assert f"<td><code>{key}</code></td>" in page, f"{path.stem}: {key}"
                first = " ".join(value.get("description", "").split("`")[0].split()[:4])
                assert not re.fullmatch(r"[\w ,.:]+", first) or first in page, f"{path.stem}: {key}"


@needs_mkdocs
def test_every_rule_is_listed(site: Path) -> None:
    page = (site / "reference/rules.html").read_text(encoding="utf-8")
    for path in (PROJECT / "rules").glob("*.smk"):
        for name in re.findall(r"^ *(?:use )?rule (?:\w+ as )?(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(rf"<td><code>{name}</code></td>\s*<td>.+</td>", page), name


@needs_mkdocs
def test_every_package_has_a_page(site: Path) -> None:
    modules = site / "reference/modules"
    packages = [path.parent for path in (PROJECT / "src/synthrank").rglob("__init__.py")]
    assert len(packages) > 30
    for folder in packages:
        name = ".".join(folder.relative_to(PROJECT / "src").parts)
        assert f'id="{name}' in (modules / f"{name}.html").read_text(encoding="utf-8"), name
    assert 'id="synthrank.data.trec.rank"' in (modules / "synthrank.data.html").read_text(encoding="utf-8")


@needs_mkdocs
def test_site_loads_nothing_from_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    scripts = r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//"
    loads = re.compile(scripts + r"|<link\b[^>]*rel=\"(?:stylesheet|preconnect|icon)\"[^>]*href=\"(?:https?:)?//")
    for path in pages:
        assert not loads.findall(path.read_text(encoding="utf-8")), path


@needs_mkdocs
def test_site_excludes_its_hooks(site: Path) -> None:
    assert not [path for path in site.rglob("*.py")]
