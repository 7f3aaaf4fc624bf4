"""Files of scores keep ids as text and numbers exact."""

import pytest

from synthrank.data.scores import Score, read_scores, write_scores
from synthrank.errors import DataError


def test_read_scores_returns_the_written_scores(tmp_path):
    scores = [Score("bm25", "none", "none", "", "t,est", "nDCG@10", "007", 1 / 3), Score(*"abcdefg", 0.0)]
    write_scores(tmp_path / "s.csv", scores)
    assert read_scores(tmp_path / "s.csv") == scores
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[0] == "ranker,recipe,llm,seed,testset,measure,query_id,value"
    assert lines[1] == 'bm25,none,none,,"t,est",nDCG@10,007,0.3333333333333333'


def test_read_scores_keeps_a_missing_value_apart_from_0(tmp_path):
    scores = [Score(*"abcdefg", None), Score(*"abcdefh", 0.0)]
    write_scores(tmp_path / "s.csv", scores)
    assert read_scores(tmp_path / "s.csv") == scores


@pytest.mark.parametrize("text", ["", "ranker,recipe\na,b\n"])
def test_read_scores_refuses_another_file(tmp_path, text):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(DataError, match=r"s\.csv:1: not a file of scores; expected the columns ranker, recipe, llm"):
        read_scores(tmp_path / "s.csv")
