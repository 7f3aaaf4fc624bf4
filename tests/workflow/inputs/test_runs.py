"""Inputs of the rules of first stages, and refused first stages."""

import shutil
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError

ENTITIES = {
    "retrievers/pair.yaml": "kind: dense\nmodel: all-minilm-l6-v2\nquery_model: e5-base-v2\n",
    "retrievers/terms.yaml": "kind: sparse\nmodel: splade-tiny\n",
    "retrievers/trained.yaml": "kind: reranked\nretriever: pair\nranker: cross-encoder\nrecipe: human\nseed: 4\n",
    "retrievers/warm.yaml": "kind: reranked\nretriever: bm25\nranker: cross-encoder\nseed: 4\n",
    "retrievers/pretrained.yaml": "kind: reranked\nretriever: bm25\nranker: cross-encoder-warm-up\n",
    "retrievers/by-llm.yaml": "kind: ordered\npool: some\nranking: by-list\nllm: echo\n",
    "retrievers/theirs.yaml": "kind: recorded\nfile: sub/theirs.trec\n",
    "pools/some.yaml": "sources: [bm25, terms]\nstrategy: rrf\n",
    "rankings/by-list.yaml": "kind: listwise\nprompt: rank-listwise\n",
}


@pytest.fixture
def folder(tmp_path, config):
    """Return a copy of the committed configuration with more first stages."""
    copy = shutil.copytree(config, tmp_path / "config")
    for name, text in ENTITIES.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text)
    return copy


def study(folder):
    return Study(folder, read_yaml(folder / "config.yaml"))


CORPUS = "corpora/python-faq"
WRITTEN = "passages/python-faq/zero-shot/echo"


def at(retriever, collection=CORPUS, queryset="train"):
    return SimpleNamespace(retriever=retriever, collection=collection, queryset=queryset)


def test_inputs_of_dense_retrievers_use_the_model_of_each_side(folder):
    rules = RuleInputs(study(folder))
    assert rules.one("encode_dense.model")(at("pair")) == "results/models/all-minilm-l6-v2"
    assert rules.one("search_dense.model")(at("pair")) == "results/models/e5-base-v2"
    assert rules.one("encode_dense.model")(at("terms")) == "results/models/splade-tiny"
    assert rules.one("search_dense.model")(at("terms")) == "results/models/splade-tiny"


@pytest.mark.parametrize(("retriever", "first_stage", "ranker", "model"), [
    ("trained", "pair", "cross-encoder", "checkpoints/human/none/cross-encoder/seed-4"),
    ("warm", "bm25", "cross-encoder", "checkpoints/warm-up/none/cross-encoder-warm-up/seed-4"),
    ("pretrained", "bm25", "cross-encoder-warm-up", "models/all-minilm-l6-v2"),
])  # fmt: skip
@pytest.mark.parametrize("collection", [CORPUS, WRITTEN])
def test_inputs_of_rerankers(folder, retriever, first_stage, ranker, model, collection):
    rules, job = RuleInputs(study(folder)), at(retriever, collection, "titles@raw")
    assert rules.one("rerank_run.first_stage")(job) == f"results/runs/{collection}/{first_stage}/titles@raw.trec"
    assert rules.one("rerank_run.ranker")(job) == f"{folder}/rankers/{ranker}.yaml"
    assert rules.one("rerank_run.checkpoint")(job) == f"results/{model}"


def test_inputs_of_external_rankings(folder, monkeypatch):
    rules = RuleInputs(study(folder))
    pool = "results/rankings/python-faq/titles/some"
    assert rules.one("run_orders.orders")(at("by-llm", queryset="titles")) == f"{pool}/by-list/echo/orders.jsonl"
    monkeypatch.delenv("SYNTHRANK_DATA", raising=False)
    assert rules.one("import_run.file")(at("theirs")) == "data/sub/theirs.trec"
    monkeypatch.setenv("SYNTHRANK_DATA", "/elsewhere")
    assert rules.one("import_run.file")(at("theirs")) == "/elsewhere/sub/theirs.trec"


RERANKED = "kind: reranked\nretriever: {}\nranker: {}\n"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"retrievers/warm.yaml": RERANKED.format("bm25", "bi-encoder")},
            "retrievers/warm.yaml: ranker: 'bi-encoder' must be a cross-encoder, seq2seq or decoder",
        ),
        (
            {"retrievers/warm.yaml": RERANKED.format("bm25", "cross-encoder") + "recipe: zero-shot\n"},
            "retrievers/warm.yaml: recipe: 'zero-shot' needs a language model; use a human recipe",
        ),
        (
            {"retrievers/warm.yaml": RERANKED.format("warm", "cross-encoder")},
            "retrievers/warm.yaml: its run depends on itself; use another first stage",
        ),
        (
            {"retrievers/pretrained.yaml": RERANKED.format("trained", "cross-encoder"),
             "retrievers/trained.yaml": RERANKED.format("warm", "cross-encoder"),
             "retrievers/warm.yaml": RERANKED.format("pretrained", "cross-encoder")},
            "retrievers/pretrained.yaml: its run depends on itself; use another first stage",
        ),
        (
            {"pools/some.yaml": "sources: [bm25, pretrained, by-llm]\nstrategy: rrf\n"},
            "retrievers/by-llm.yaml: its run depends on itself; use another first stage",
        ),
        (
            {"recipes/human.yaml": ("retriever: bm25", "retriever: trained")},
            "retrievers/trained.yaml: its run depends on itself; use another first stage",
        ),
        (
            {"recipes/warm-up.yaml": ("retriever: bm25", "retriever: trained"),
             "retrievers/trained.yaml": RERANKED.format("bm25", "cross-encoder") + "recipe: warm-up\n"},
            "retrievers/trained.yaml: its run depends on itself; use another first stage",
        ),
        (
            {"recipes/warm-up.yaml": ("teacher: minilm", "teacher: pair")},
            "recipes/warm-up.yaml: teacher: 'pair' has a query_model; use a retriever with one model for "
            "queries and passages",
        ),
    ],
)  # fmt: skip
def test_study_refuses_invalid_first_stages(folder, files, problem):
    for name, text in files.items():
        if isinstance(text, tuple):
            old, new = text
            assert old in (folder / name).read_text()
            text = (folder / name).read_text().replace(old, new)
        (folder / name).write_text(text)
    with pytest.raises(ConfigError) as error:
        study(folder)
    assert str(error.value).replace(f"{folder}/", "").startswith(problem)


def test_study_accepts_a_chain_of_rerankers(folder):
    (folder / "retrievers/warmer.yaml").write_text("kind: reranked\nretriever: trained\nranker: cross-encoder\n")
    (folder / "pools/some.yaml").write_text("sources: [bm25, trained, warmer]\nstrategy: rrf\n")
    assert "warmer" in study(folder).entities["retrievers"]
