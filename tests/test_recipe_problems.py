"""Filters that cannot judge, and queries that were made from passages: refused in one line, planned and named."""

import shutil
from types import SimpleNamespace

import pytest

from synthrank.distillation import made, written_queries
from synthrank.errors import ConfigError
from synthrank.needs import Needs
from synthrank.plan.queries import query_lines
from synthrank.specs.base import read_yaml
from synthrank.study import Study

RECIPE = """kind: pairs
corpus: python-headings
positives: [{{paradigm: {paradigm}, queries: {queries}, filter: {spec}}}]
negatives: {{source: human, retriever: bm25}}
"""
SECTIONS = ("claims", "enrichment", "sizes", "validity", "twolar", "bias")


@pytest.fixture
def make(tmp_path, config):
    """Return a function that makes a study with a recipe `own` of zero-shot passages and a filter."""
    folder = tmp_path / "config"
    shutil.copytree(config, folder)

    def do(spec="null", paradigm="zero-shot", queries=10, recipes=("human",), **changed):
        (folder / "recipes/own.yaml").write_text(RECIPE.format(spec=spec, paradigm=paradigm, queries=queries))
        plain = {**read_yaml(config / "config.yaml"), **dict.fromkeys(SECTIONS), "recipes": list(recipes)}
        return Study(folder, {**plain, **changed})

    return do


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{kind: ranker, ranker: bi-encoder, min_score: 0}",
         r"filter\.ranker: got 'bi-encoder'; it must be a cross-encoder, seq2seq or decoder"),
        ("{kind: ranker, ranker: cross-encoder, min_score: 0}",
         r"filter\.ranker: got 'cross-encoder'; its base must be a pretrained model"),
        ("{kind: retriever, retriever: bm25, min_score: 0}", r"filter\.retriever: got 'bm25'; it must be dense"),
        ("{kind: llm, ranking: setwise, llm: smollm2-135m, min_score: 0}",
         r"filter\.ranking: got 'setwise'; it must be pointwise or query-likelihood"),
        ("{kind: llm, ranking: pointwise, llm: gpt-4.1-mini, min_score: 0}",
         r"filter\.llm: got 'gpt-4\.1-mini'; a hosted LLM gives no log-probabilities, name a local one"),
        ("{kind: round-trip, retriever: bm25, depth: 101}",
         r"filter\.depth: got 101; retriever 'bm25' keeps 100, state no more"),
        ("{kind: llm, ranking: pointwise, llm: smollm2-135m, keep_share: 0.01}",
         r"filter\.keep_share: got 0\.01; of at most 176 pairs it keeps 2, and the recipe wants 10 queries"),
        ("{kind: llm, ranking: pointwise, llm: smollm2-135m}", r"the threshold must be stated once"),
        ("{kind: nothing}", r"positives\.0\.filter\.kind: got 'nothing'; known values: 'ranker', 'retriever'"),
        ("{min_score: 1}", r"positives\.0\.filter\.kind: is missing; known values: llm, ranker, retriever"),
        ("{kind: llm, ranking: pointwise, llm: unknown, min_score: 0}", r"filter\.llm: got 'unknown'; no such file"),
    ],
)  # fmt: skip
def test_a_filter_that_cannot_judge_is_refused_in_one_line(make, spec, said):
    with pytest.raises(ConfigError, match=rf"recipes/own\.yaml: .*{said}") as raised:
        make(spec)
    assert "\n" not in str(raised.value)


def test_reworded_passages_are_in_no_run(make):
    with pytest.raises(ConfigError, match=r"filter: got kind 'round-trip'; the passages of paradigm 'llama2-rewrite'"):
        make("{kind: round-trip, retriever: bm25}", paradigm="llama2-rewrite")


def test_what_filters_go_by(make):
    written = "passages/python-headings/zero-shot/draw-0/smollm2-135m"
    asked = SimpleNamespace(recipe="own", llm="smollm2-135m", draw="0")
    for spec, path in {
        "null": [],
        "{kind: llm, ranking: pointwise, llm: echo, min_score: 0}": [f"results/{written}/judged/pointwise/echo.jsonl"],
        "{kind: ranker, ranker: monot5-base, min_score: 0}": [
            f"results/runs/{written}/judged/rankers/monot5-base.jsonl"
        ],
        "{kind: retriever, retriever: minilm, min_score: 0}": [
            f"results/runs/{written}/judged/retrievers/minilm.jsonl"
        ],
        "{kind: round-trip, retriever: bm25}": [f"results/runs/{written}/bm25/train.trec"],
    }.items():
        assert Needs(make(spec)).pair_filters(asked) == path
    asked.llm = "none"
    corpus = "results/runs/corpora/python-headings/bm25"
    for paradigm, queryset in {"human": "train", "inpars": "inpars"}.items():
        found = Needs(make("{kind: round-trip, retriever: bm25}", paradigm=paradigm)).pair_filters(asked)
        assert found == [f"{corpus}/{queryset}.trec"]
    models = Needs(make()).scoring_model
    assert models(SimpleNamespace(judge="rankers/monot5-base")) == "results/models/monot5-base"
    assert models(SimpleNamespace(judge="retrievers/minilm")) == "results/models/all-minilm-l6-v2"


def test_a_recipe_of_generated_queries_is_made_once_by_the_llm_of_its_augmentation(make):
    study = make(recipes=["inpars", "zero-shot-filtered"])
    assert made(study, ["inpars", "zero-shot-filtered", "human"], ["echo", "smollm2-135m"]) == [
        ("inpars", "smollm2-135m"), ("zero-shot-filtered", "echo"), ("zero-shot-filtered", "smollm2-135m"),
        ("human", "none"),
    ]  # fmt: skip
    assert not study.is_human("inpars")
    assert not study.is_generated("inpars")


def test_generated_queries_are_read_searched_and_planned(make):
    study = make(recipes=["human", "inpars"], llms=["echo"])
    needs, asked = Needs(study), SimpleNamespace(recipe="inpars", llm="smollm2-135m", draw="1")
    assert needs.pair_queries(asked) == ["results/queries/python-headings/inpars/queries.jsonl"]
    assert needs.positives(asked) == ["results/passages/python-headings/inpars/draw-0/none/passages.jsonl"]
    assert needs.negative_runs(asked) == ["results/runs/corpora/python-headings/bm25/inpars.trec"]
    assert needs.negative_passages(asked) == ["results/corpora/python-headings/passages.jsonl"]
    asked.recipe = "human"
    assert needs.pair_queries(asked) == ["results/corpora/python-headings/train/queries.jsonl"]
    assert written_queries(study) == [("python-headings", "inpars")]
    (line,) = query_lines(study)
    assert (line.name, line.llm, line.requests) == ("inpars", "smollm2-135m", 360)


def test_no_more_queries_are_asked_for_than_an_augmentation_makes(make):
    make(paradigm="inpars", queries=360)
    with pytest.raises(ConfigError, match=r"own\.yaml: queries: asks for 361 queries, but augmentation 'inpars' makes "
                                          r"360 at most; ask for no more"):  # fmt: skip
        make(paradigm="inpars", queries=361)


def test_generated_queries_are_released_with_what_wrote_them(make):
    needs = Needs(make())
    asked = SimpleNamespace(corpus="python-headings", paradigm="inpars", draw="0", llm="none")
    assert needs.released_replies(asked) == ["results/queries/python-headings/inpars/replies.jsonl"]
    assert [path.rsplit("/", 2)[1:] for path in needs.released_llm(asked)] == [["llms", "smollm2-135m.yaml"]]
    assert [path.rsplit("/", 1)[1] for path in needs.released_prompt(asked)] == ["query-inpars.md"]
    assert [path.rsplit("/", 1)[1] for path in needs.llm_weights(asked)] == ["smollm2-135m.yaml"]
    shown = ["results/queries/python-headings/inpars/exemplars.jsonl"]
    assert needs.released_exemplars(asked) == shown
    assert needs.leak_exemplars(SimpleNamespace(data="trainsets/inpars/smollm2-135m/draw-1")) == shown
    assert needs.leak_exemplars(SimpleNamespace(data="passages/python-headings/inpars/draw-0/none")) == shown
    asked.paradigm = "human"
    assert needs.released_replies(asked) == needs.released_llm(asked) == needs.released_prompt(asked) == []
