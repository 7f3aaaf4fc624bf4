"""The test server, started once per module."""

import pytest
from provider_server import ProviderServer


@pytest.fixture(scope="module")
def served():
    with ProviderServer() as running:
        yield running


@pytest.fixture
def server(served):
    """Return the server without faults, which has seen no call."""
    served.faults, served.calls = [], []
    served.asked.clear()
    return served
