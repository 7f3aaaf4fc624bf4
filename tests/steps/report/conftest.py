"""Bundle the JavaScript libraries, which takes seconds, once for all tests."""

from functools import cache

import pytest

from synthrank.steps.report import js_libraries as bundles
from synthrank.steps.report import page


@pytest.fixture(autouse=True)
def _bundled_once(monkeypatch):
    monkeypatch.setattr(page, "vega_script", _vega)


@cache
def _vega():
    return bundles.vega_script()
