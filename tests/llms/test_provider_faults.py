"""Random mixes of faults: every request ends answered once or with an error, and no answer is lost or paid twice."""

import pytest
from fault_mixes import check_seed


@pytest.mark.parametrize("seed", range(12))
def test_mixed_faults_end_with_each_request_answered_once_or_an_error(seed, tmp_path):
    check_seed(seed, tmp_path)
