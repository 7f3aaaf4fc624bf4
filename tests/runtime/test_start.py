"""start_lightly delays the import of scikit-learn until one of its functions is called."""

import subprocess
import sys

import pytest

CASES = {
    "sklearn is not imported": "assert not {'scipy.stats', 'sklearn.base'} & set(sys.modules)",
    "a call returns the value of the function and imports the module": (
        "from sentence_transformers.util import similarity\n"
        "found = similarity.pairwise_distances([[0.0, 0.0]], [[3.0, 4.0]])\n"
        "import sklearn.metrics\n"
        "assert found.tolist() == [[5.0]] and sklearn.metrics.roc_curve.__module__ == 'sklearn.metrics._ranking'"
    ),
    "a later import works": (
        "from sklearn.metrics import average_precision_score\nassert average_precision_score([0, 1], [0.1, 0.9]) == 1.0"
    ),
    "a submodule can be imported": (
        "from sklearn.neighbors import NearestNeighbors\nimport sklearn\nassert sklearn.__version__"
    ),
    "the module can be imported from the package": (
        "from sklearn import metrics\nassert metrics.average_precision_score([0, 1], [0.1, 0.9]) == 1.0"
    ),
    "trectools fuses runs": (
        "from synthrank.data.fusion import reciprocal_rank_fusion\n"
        "fused = reciprocal_rank_fusion([{'q': [('a', 2.0), ('b', 1.0)]}, {'q': [('a', 1.0)]}], 2)\n"
        "assert [name for name, _ in fused['q']] == ['a', 'b']"
    ),
    "transformers finds sklearn": "from transformers.utils import is_sklearn_available\nassert is_sklearn_available()",
    "torch uses large pages": "import os\nassert os.environ['THP_MEM_ALLOC_ENABLE'] == '1'",
    "garbage collection is enabled": "import gc\nassert gc.isenabled() and gc.get_threshold()[0] == 100_000",
}


@pytest.mark.parametrize("case", CASES)
def test_start_lightly_before_sentence_transformers(case):
    code = (
        "import sys\nfrom synthrank.runtime.start import start_lightly\nstart_lightly()\n"
        f"from sentence_transformers import SentenceTransformerTrainer\n{CASES[case]}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_start_lightly_keeps_an_imported_module():
    code = (
        "import sklearn\nfrom synthrank.runtime.start import start_lightly\nstart_lightly()\n"
        "import sys; assert sys.modules['sklearn'].__version__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
