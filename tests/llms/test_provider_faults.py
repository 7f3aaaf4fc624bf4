"""Random mixes of faults: every request ends answered once or with an error, and no answer is lost or paid twice."""

import pytest
from fault_mixes import check_batch_seed, check_mix, check_seed


@pytest.mark.parametrize("seed", range(12))
def test_mixed_faults_end_with_each_request_answered_once_or_an_error(seed, tmp_path):
    check_seed(seed, tmp_path)


def test_failed_attempts_that_may_be_billed_count_towards_the_budget(tmp_path):
    client = check_mix([["timeout", "lost", ""], [""]], tmp_path, limit=2.5)
    assert sum(client.billed.values()) == 2, "a third attempt could exceed the budget"


@pytest.mark.parametrize("seed", range(12))
def test_mixed_faults_of_batches_lose_no_answer_and_pay_none_twice(seed, tmp_path):
    check_batch_seed(seed, tmp_path)
