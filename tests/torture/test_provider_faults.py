"""The mixes of faults of ``tests/llms/test_provider_faults.py``, as many as fit into the time."""

import time
from itertools import count

import pytest
from fault_mixes import check_batch_seed, check_seed

pytestmark = pytest.mark.torture


def check_many(check, seed, seconds, tried, folder):
    """Check the mixes of successive seeds until the time is used up, at least one."""
    end = time.monotonic() + seconds
    tried.count = 0
    for number in count(seed):
        tried.count += 1
        check(number, folder / str(number))
        if time.monotonic() > end:
            break


def test_mixed_faults_end_with_each_request_answered_once_or_an_error(seed, seconds, tried, tmp_path):
    """Random mixes of faults of a provider; each request is answered once or named in the error."""
    check_many(check_seed, seed, seconds, tried, tmp_path)


def test_mixed_faults_of_batches_lose_no_answer_and_pay_none_twice(seed, seconds, tried, tmp_path):
    """Random faults, stops and budgets of batches; no answer is lost or paid twice."""
    check_many(check_batch_seed, seed, seconds, tried, tmp_path)
