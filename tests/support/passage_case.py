"""A small passage study with made-up scores: three test sets, one of them in distribution, two rankers, two LLMs."""

import numpy as np

from synthrank.data.scores import Score, write_scores

TESTSETS = {"home": "home", "moss": "moss", "fern": "fern"}
QUERIES = {"home": 8, "moss": 6, "fern": 7}
MEASURES = ("nDCG@10", "AP")
RECIPES = {"human": "kind: pairs\ncorpus: home\npositives: [{paradigm: human, queries: 40}]\n",
           "zero": "kind: pairs\ncorpus: home\npositives: [{paradigm: zero-shot, queries: 40}]\n",
           "both": "kind: pairs\ncorpus: home\npositives: [{paradigm: human, queries: 40}, "
                   "{paradigm: zero-shot, queries: 25}]\n",
           "levels": "kind: graded\ncorpus: home\nparadigm: graded\nqueries: 30\n"}  # fmt: skip
NEGATIVES = "negatives: {source: human, retriever: bm25}\n"


def values(ranker, recipe, llm, seed, testset, measure, gain=0.0, spread=0.04):
    """Return the scores of all queries of a test set; a query is equally hard for all systems."""
    hard = np.random.default_rng([len(testset), len(measure)]).normal(0, 0.15, QUERIES[testset])
    own = np.random.default_rng([ord(letter) for letter in f"{ranker} {recipe} {llm} {seed} {testset} {measure}"])
    return np.round(0.5 + gain + hard + own.normal(0, spread, QUERIES[testset]), 6)


def scores(ranker, recipe, llm, seeds=("1", "2"), testsets=tuple(TESTSETS), gain=0.0, spread=0.04):
    return [
        Score(ranker, recipe, llm, seed, testset, measure, f"{testset}-{place}", float(value))
        for seed in seeds for testset in testsets for measure in MEASURES
        for place, value in enumerate(values(ranker, recipe, llm, seed, testset, measure, gain, spread))
    ]  # fmt: skip


def write_entities(folder):
    """Write the entity files and return the paths of recipes and of test sets."""
    for kind in ("recipes", "testsets"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for name, text in RECIPES.items():
        (folder / f"recipes/{name}.yaml").write_text(text + (NEGATIVES if "pairs" in text else ""))
    for name, corpus in TESTSETS.items():
        (folder / f"testsets/{name}.yaml").write_text(f"corpus: {corpus}\nsplit: test\n")
    return [folder / f"recipes/{name}.yaml" for name in RECIPES], [
        folder / f"testsets/{name}.yaml" for name in TESTSETS
    ]


def write_metrics(folder, files):
    """Write each list of scores into a separate file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for place, rows in enumerate(files):
        paths.append(folder / f"m{place}.csv")
        write_scores(paths[-1], rows)
    return paths
