"""Waits between attempts. The number of attempts and the retried errors are tested with the callers."""

import asyncio

import pytest

from synthrank.config.llms import Limits
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.live import retry

LIMITS = Limits(attempts=9, longest_wait_s=20.0)


@pytest.fixture
def waits(monkeypatch):
    """Return a list that records the seconds of each sleep."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(retry.asyncio, "sleep", sleep)
    return slept


def failing(asked):
    """Return a call that fails with the given values of ``retry_after``, in turn."""
    errors = [TransientError("", "rate", after) for after in asked]

    async def fail():
        raise errors.pop(0)

    return fail


def test_waits_of_one_call_double_respect_retry_after_and_are_capped(waits):
    with pytest.raises(TransientError):
        asyncio.run(retry.call_with_retries(failing([None, None, None, 15.0, 0.5, None, None, None, None]), LIMITS))
    assert all(most / 2 <= wait <= most for wait, most in zip(waits[:3], [1, 2, 4], strict=True))
    assert waits[3] == 15.0
    assert 8 <= waits[4] <= 16
    assert 16 <= waits[5] <= 20
    assert waits[6:] == [20.0, 20.0]


def test_waits_of_many_calls_double_respect_retry_after_and_vary_at_the_cap(waits):
    retrying = retry.make_retrying(LIMITS, many=True)
    for _ in range(2):
        with pytest.raises(TransientError):
            asyncio.run(retrying.copy()(failing([None, None, None, 15.0, 0.5, None, None, None, None])))
    first, second = waits[:8], waits[8:]
    for found in (first, second):
        assert all(most / 2 <= wait <= most for wait, most in zip(found[:3], [1, 2, 4], strict=True))
        assert 15.0 <= found[3] <= 15.5
        assert 0.5 <= found[4] <= 1.0
        assert all(10 <= wait <= 20 for wait in found[5:])
    assert first[6:] != second[6:]


@pytest.mark.parametrize("error", [ProviderError("no"), TransientError("later", "rate", 20.5), OSError("disk")])
@pytest.mark.parametrize("many", [True, False])
def test_retrying_does_not_repeat_permanent_errors_and_long_waits(waits, error, many):
    async def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        asyncio.run(retry.make_retrying(LIMITS, many=many)(fail))
    assert (caught.value, waits) == (error, [])
