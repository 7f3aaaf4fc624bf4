"""Pools: invalid files, and the differences between the committed pools."""

import pytest

from synthrank.config.base import load
from synthrank.config.pools import PoolSpec
from synthrank.errors import ConfigError

FULL = {
    "four-sources": ["bm25-only", "splade-only", "dense-only", "bm25-reranked-only"],
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: [bm25, minilm, bm25]\nstrategy: rrf\n", "sources: each source may occur only once"),
        (
            "sources: [bm25, minilm]\nstrategy: union\ndepth: 1\n",
            "depth 1 is less than the number of sources, 2; raise it",
        ),
    ],
)
def test_an_invalid_pool_is_refused(tmp_path, text, message):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(PoolSpec, tmp_path / "p.yaml")
    assert message in str(error.value)


def test_only_a_union_needs_a_depth_of_the_number_of_sources(tmp_path):
    (tmp_path / "p.yaml").write_text("sources: [bm25, minilm]\nstrategy: union\ndepth: 2\n")
    assert load(PoolSpec, tmp_path / "p.yaml").depth == 2
    (tmp_path / "p.yaml").write_text("sources: [bm25, minilm]\nstrategy: rrf\ndepth: 1\n")
    assert load(PoolSpec, tmp_path / "p.yaml").depth == 1


@pytest.mark.parametrize("name", FULL)
def test_pools_of_one_source_differ_only_in_the_source(study, name):
    full = study.entities["pools"][name]
    single = [study.entities["pools"][part] for part in FULL[name]]
    assert [pool.sources for pool in single] == [(source,) for source in full.sources]
    assert {pool.model_copy(update={"sources": full.sources}) for pool in single} == {full}
    assert (len(full.sources), full.depth, full.strategy) == (4, 30, "per-query-source")


def test_recipes_of_one_source_of_twolar_differ_only_in_the_source(study):
    recipes = study.entities["recipes"]
    single = [recipes[f"twolar-{name}"] for name in ("bm25", "splade", "dragon", "bm25-monot5")]
    assert tuple(recipe.source for recipe in single) == study.entities["pools"]["twolar"].sources
    assert {recipe.model_copy(update={"source": None}) for recipe in single} == {recipes["twolar"]}
    assert recipes["twolar-sources-5k"] == recipes["twolar"].model_copy(update={"max_queries": 5000})
