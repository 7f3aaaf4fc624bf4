"""What a pool may say, and that the committed pools can be compared with one another."""

import pytest

from synthrank.errors import ConfigError
from synthrank.specs.base import load
from synthrank.specs.pools import PoolSpec

FULL = {
    "four-sources": ["bm25-only", "splade-only", "dense-only", "bm25-reranked-only"],
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: [bm25, minilm, bm25]\nstrategy: rrf\n", "a source is named twice; name each once"),
        (
            "sources: [bm25, minilm]\nstrategy: union\ndepth: 1\n",
            "depth 1 cannot hold the top of 2 sources; raise it",
        ),
    ],
)
def test_a_pool_that_cannot_be_made_is_refused(tmp_path, text, message):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(PoolSpec, tmp_path / "p.yaml")
    assert message in str(error.value)


def test_only_a_union_needs_room_for_every_source(tmp_path):
    (tmp_path / "p.yaml").write_text("sources: [bm25, minilm]\nstrategy: union\ndepth: 2\n")
    assert load(PoolSpec, tmp_path / "p.yaml").depth == 2
    (tmp_path / "p.yaml").write_text("sources: [bm25, minilm]\nstrategy: rrf\ndepth: 1\n")
    assert load(PoolSpec, tmp_path / "p.yaml").depth == 1


@pytest.mark.parametrize("name", FULL)
def test_the_ablation_of_sources_changes_nothing_but_the_source(study, name):
    full = study.entities["pools"][name]
    alone = [study.entities["pools"][part] for part in FULL[name]]
    assert [pool.sources for pool in alone] == [(source,) for source in full.sources]
    assert {pool.model_copy(update={"sources": full.sources}) for pool in alone} == {full}
    assert (len(full.sources), full.depth, full.strategy) == (4, 30, "per-query-source")


def test_the_ablation_of_twolars_sources_takes_its_quarters_of_the_same_orders(study):
    recipes = study.entities["recipes"]
    alone = [recipes[f"twolar-{name}"] for name in ("bm25", "splade", "dragon", "bm25-monot5")]
    assert tuple(recipe.source for recipe in alone) == study.entities["pools"]["twolar"].sources
    assert {recipe.model_copy(update={"source": None}) for recipe in alone} == {recipes["twolar"]}
    assert recipes["twolar-sources-5k"] == recipes["twolar"].model_copy(update={"max_queries": 5000})
