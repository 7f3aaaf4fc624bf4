"""Filters of recipes and recipes of generated queries: invalid settings, inputs and plans."""

import shutil
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.distillation import pair_recipes_with_llms, written_queries
from synthrank.config.study import Study
from synthrank.errors import ConfigError
from synthrank.workflow.plan.queries import query_lines

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
    ("spec", "message"),
    [
        ("{kind: ranker, ranker: bi-encoder, min_score: 0}",
         r"filter\.ranker: 'bi-encoder' must be a cross-encoder, seq2seq or decoder"),
        ("{kind: ranker, ranker: cross-encoder, min_score: 0}",
         r"filter\.ranker: 'cross-encoder' must have a pretrained model as base"),
        ("{kind: retriever, retriever: bm25, min_score: 0}", r"filter\.retriever: 'bm25' must be a dense retriever"),
        ("{kind: llm, ranking: setwise, llm: smollm2-135m, min_score: 0}",
         r"filter\.ranking: 'setwise' must be pointwise or query-likelihood"),
        ("{kind: llm, ranking: pointwise, llm: gpt-4.1-mini, min_score: 0}",
         r"filter\.llm: 'gpt-4\.1-mini' is hosted and returns no log-probabilities; use a local LLM"),
        ("{kind: round-trip, retriever: bm25, depth: 101}",
         r"filter\.depth: 101 exceeds depth 100 of retriever 'bm25'; state at most 100"),
        ("{kind: llm, ranking: pointwise, llm: smollm2-135m, keep_share: 0.01}",
         r"filter\.keep_share: 0\.01 keeps 2 of at most 176 pairs, but the recipe needs 10 queries"),
        ("{kind: llm, ranking: pointwise, llm: smollm2-135m}", r"state either min_score or keep_share"),
        ("{kind: nothing}", r"positives\.0\.filter\.kind: unknown value 'nothing' \(known: llm, ranker, retriever"),
        ("{min_score: 1}", r"missing key 'positives\.0\.filter\.kind'; known values: llm, ranker, retriever"),
        ("{kind: llm, ranking: pointwise, llm: unknown, min_score: 0}", r"filter\.llm: no LLM named 'unknown' in "),
    ],
)  # fmt: skip
def test_an_invalid_filter_is_refused_with_one_line(make, spec, message):
    with pytest.raises(ConfigError, match=rf"recipes/own\.yaml(:\d+)?: .*{message}") as raised:
        make(spec)
    assert "\n" not in str(raised.value)


def test_a_round_trip_filter_of_reworded_passages_is_refused(make):
    with pytest.raises(
        ConfigError, match=r"filter: kind round-trip needs a run .* paradigm 'llama2-rewrite' has reworded"
    ):
        make("{kind: round-trip, retriever: bm25}", paradigm="llama2-rewrite")


def test_inputs_of_filters(make):
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
        assert RuleInputs(make(spec))("pair_trainset.filters")(asked) == path
    asked.llm = "none"
    corpus = "results/runs/corpora/python-headings/bm25"
    for paradigm, queryset in {"human": "train", "inpars": "inpars"}.items():
        found = RuleInputs(make("{kind: round-trip, retriever: bm25}", paradigm=paradigm))("pair_trainset.filters")(
            asked
        )
        assert found == [f"{corpus}/{queryset}.trec"]
    models = RuleInputs(make()).one("score_passages.model")
    assert models(SimpleNamespace(judge="rankers/monot5-base")) == "results/models/monot5-base"
    assert models(SimpleNamespace(judge="retrievers/minilm")) == "results/models/all-minilm-l6-v2"


def test_a_recipe_of_generated_queries_is_made_once_with_the_llm_of_its_augmentation(make):
    study = make(recipes=["inpars", "zero-shot-filtered"])
    assert pair_recipes_with_llms(study, ["inpars", "zero-shot-filtered", "human"], ["echo", "smollm2-135m"]) == [
        ("inpars", "smollm2-135m"), ("zero-shot-filtered", "echo"), ("zero-shot-filtered", "smollm2-135m"),
        ("human", "none"),
    ]  # fmt: skip
    assert not study.is_human("inpars")
    assert not study.is_generated("inpars")


def test_generated_queries_are_read_searched_and_planned(make):
    study = make(recipes=["human", "inpars"], llms=["echo"])
    rules, asked = RuleInputs(study), SimpleNamespace(recipe="inpars", llm="smollm2-135m", draw="1")
    assert rules("pair_trainset.queries")(asked) == ["results/queries/python-headings/inpars/queries.jsonl"]
    assert rules("pair_trainset.positives")(asked) == [
        "results/passages/python-headings/inpars/draw-0/none/passages.jsonl"
    ]
    assert rules("pair_trainset.negative_runs")(asked) == ["results/runs/corpora/python-headings/bm25/inpars.trec"]
    assert rules("pair_trainset.negative_passages")(asked) == ["results/corpora/python-headings/passages.jsonl"]
    asked.recipe = "human"
    assert rules("pair_trainset.queries")(asked) == ["results/corpora/python-headings/train/queries.jsonl"]
    assert written_queries(study) == [("python-headings", "inpars")]
    (line,) = query_lines(study)
    assert (line.name, line.llm, line.requests) == ("inpars", "smollm2-135m", 360)
    assert rules("make_reply_tables.query_replies")(asked) == ["results/queries/python-headings/inpars/replies.jsonl"]


def test_more_queries_than_an_augmentation_makes_are_refused(make):
    make(paradigm="inpars", queries=360)
    with pytest.raises(ConfigError, match=r"own\.yaml: queries: 361 queries, but augmentation 'inpars' makes at "
                                          r"most 360 queries; state at most 360"):  # fmt: skip
        make(paradigm="inpars", queries=361)


def test_releases_of_generated_queries_include_llm_prompt_and_replies(make):
    rules = RuleInputs(make())
    asked = SimpleNamespace(corpus="python-headings", paradigm="inpars", draw="0", llm="none")
    assert rules("release_passages.replies")(asked) == ["results/queries/python-headings/inpars/replies.jsonl"]
    assert [path.rsplit("/", 2)[1:] for path in rules("release_passages.llm")(asked)] == [["llms", "smollm2-135m.yaml"]]
    assert [path.rsplit("/", 1)[1] for path in rules("release_passages.prompt")(asked)] == ["query-inpars.md"]
    assert [path.rsplit("/", 1)[1] for path in rules("release_passages.weights")(asked)] == ["smollm2-135m.yaml"]
    shown = ["results/queries/python-headings/inpars/exemplars.jsonl"]
    assert rules("release_passages.exemplars")(asked) == shown
    assert rules("find_leaks.exemplars")(SimpleNamespace(data="trainsets/inpars/smollm2-135m/draw-1")) == shown
    assert rules("find_leaks.exemplars")(SimpleNamespace(data="passages/python-headings/inpars/draw-0/none")) == shown
    asked.paradigm = "human"
    assert (
        rules("release_passages.replies")(asked)
        == rules("release_passages.llm")(asked)
        == rules("release_passages.prompt")(asked)
        == []
    )
