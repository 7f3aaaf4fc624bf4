"""Licences of pinned packages, and the reading of pip-audit's result."""

import sys
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

from audit import report  # noqa: E402
from licences import UNSTATED, licence_of, pinned, table  # noqa: E402


def test_every_pinned_package_of_a_stage_has_a_row_on_the_page() -> None:
    page = (ROOT / "docs/environments.md").read_text(encoding="utf-8")
    assert table() in page
    assert {"torch", "snakemake", "pydantic"} <= set(pinned())
    assert not {"mkdocs", "ruff"} & set(pinned())


def test_licence_of_prefers_the_expression_then_classifiers_then_the_field() -> None:
    found = Message()
    assert licence_of(found) == UNSTATED
    found["License"] = "BSD\n\nlong text"
    assert licence_of(found) == "BSD"
    found["Classifier"] = "License :: OSI Approved :: MIT License"
    assert licence_of(found) == "MIT License"
    found["License-Expression"] = "Apache-2.0"
    assert licence_of(found) == "Apache-2.0"


def test_an_audit_without_a_checked_package_is_an_error() -> None:
    skipped = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited"}
    own = {"name": "synthrank", "version": "1", "vulns": []}
    assert report([skipped, own])[1] == 2
    assert report([])[1] == 2


def test_an_audit_lists_vulnerabilities_with_their_fixes() -> None:
    sound = {"name": "numpy", "version": "2", "vulns": []}
    bad = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    assert report([sound]) == (["1 of 1 packages checked, 0 known vulnerabilities"], 0)
    assert report([sound, bad]) == (
        ["x 1: PYSEC-1, fixed in 2", "2 of 2 packages checked, 1 known vulnerabilities"], 1,
    )  # fmt: skip
