"""Sentences on rerankers below their first stage."""

from pathlib import Path

import pytest

from synthrank.steps.tables.id_ood_rows import MainRow, note_below_first_stage

RERANKER = """\
architecture: cross-encoder
base: {model: tiny}
max_length: 24
loss: lambda
optimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 4}
rerank: {retriever: bm25, depth: 10}
"""


def row(ranker: str, recipe: str, mean: float, testset: str = "macro-average", measure: str = "nDCG@10") -> MainRow:
    return MainRow(ranker, recipe, "none", testset, measure, mean, None, mean, mean, 1, 9)


@pytest.fixture
def rankers(tmp_path: Path) -> list[Path]:
    (tmp_path / "slow.yaml").write_text(RERANKER)
    return [tmp_path / "slow.yaml"]


def test_below_first_stage_names_a_reranker_below_it_with_every_training_set(rankers: list[Path]) -> None:
    rows = [row("bm25", "none", 0.7), row("slow", "none", 0.9), row("slow", "a", 0.5), row("slow", "b", 0.612)]
    (line,) = note_below_first_stage(rows, rankers)
    assert line.startswith(
        "`slow` is below its first stage `bm25` in nDCG@10 with every training set (0.500 to 0.612 against 0.700)"
    )


def test_below_first_stage_omits_a_reranker_above_it_with_one_training_set(rankers: list[Path]) -> None:
    rows = [row("bm25", "none", 0.7), row("slow", "a", 0.5), row("slow", "b", 0.71)]
    assert note_below_first_stage(rows, rankers) == []


def test_below_first_stage_compares_every_test_set_without_macro_averages(rankers: list[Path]) -> None:
    rows = [row("bm25", "none", 0.7, "x"), row("slow", "a", 0.6, "x"), row("bm25", "none", 0.2, "y")]
    assert len(note_below_first_stage(rows, rankers)) == 1
    assert note_below_first_stage([*rows, row("slow", "a", 0.3, "y")], rankers) == []


def test_below_first_stage_ignores_other_measures(rankers: list[Path], tmp_path: Path) -> None:
    rows = [row("bm25", "none", 0.7), row("bm25", "none", 0.9, measure="RR@10"), row("slow", "a", 0.8, measure="RR@10")]
    assert note_below_first_stage(rows, rankers) == []
    assert note_below_first_stage([], rankers) == []
