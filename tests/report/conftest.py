"""Libraries of the page take seconds to bundle: once for all tests."""

from functools import cache

import pytest

from synthrank.report import bundles, page


@pytest.fixture(autouse=True)
def _bundled_once(monkeypatch):
    monkeypatch.setattr(page, "vega_script", _vega)


@cache
def _vega():
    return bundles.vega_script()
