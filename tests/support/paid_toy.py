"""The toy with passages of a hosted model, whose server is a test's own."""

from pathlib import Path

from toy_experiment import make_toy

CONFIG = """\
llms: [served]
recipes: [written]
rankers: [bi-encoder]
seeds: [1]
suites: [toy]
first_stages: [bm25]
measures: [nDCG@10, MRR@10]
intervals: {resamples: 100}
shards: {write: 2}
"""
RECIPE = """\
kind: pairs
corpus: gardens
positives: [{paradigm: zero-shot, queries: 12}]
negatives: {source: human, retriever: bm25, depth: 10, count: 3}
"""
LLM = """\
backend: openai
model: toy
key_variable: TOY_KEY
base_url: URL/v1
limits: {attempts: 4, concurrency: CONCURRENCY}
price: {listed: 2026-01-01, input: 1, cached_input: 1, output: 1}
"""
COMPARED = ("passages/**/passages.jsonl", "runs/**/*.trec", "trainsets/**/*.jsonl", "metrics/**/*.csv", "tables/*")
"""Files below results/ that have the same bytes on every machine."""
REQUESTS = 14


def paid_toy(folder: Path, url: str, concurrency: int) -> Path:
    """Make a toy whose only language model is at ``url``; its key is in ``TOY_KEY``."""
    make_toy(folder)
    (folder / "config/config.yaml").write_text(CONFIG)
    (folder / "config/recipes/written.yaml").write_text(RECIPE)
    served = LLM.replace("URL", url).replace("CONCURRENCY", str(concurrency))
    (folder / "config/llms/served.yaml").write_text(served)
    return folder
