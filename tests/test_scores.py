"""Scores as files: text stays text, numbers stay exact."""

import pytest

from synthrank.errors import DataError
from synthrank.scores import Score, read_scores, write_scores


def test_scores_round_trip(tmp_path):
    scores = [Score("bm25", "none", "none", "", "t,est", "nDCG@10", "007", 1 / 3), Score(*"abcdefg", 0.0)]
    write_scores(tmp_path / "s.csv", scores)
    assert read_scores(tmp_path / "s.csv") == scores
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[0] == "ranker,recipe,llm,seed,testset,measure,query_id,value"
    assert lines[1] == 'bm25,none,none,,"t,est",nDCG@10,007,0.3333333333333333'


@pytest.mark.parametrize("text", ["", "ranker,recipe\na,b\n"])
def test_a_file_of_something_else_is_named(tmp_path, text):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(DataError, match=r"s\.csv: not a file of scores; expected the columns ranker, recipe, llm"):
        read_scores(tmp_path / "s.csv")
