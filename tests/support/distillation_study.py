"""A copy of the committed configuration with a distillation study in it, for tests that read it."""

import shutil
from pathlib import Path

from synthrank.config.base import read_yaml
from synthrank.config.study import Study

RANKER = (
    "architecture: cross-encoder\nbase: {model: minilm-l12-h384}\nmax_length: 32\nloss: ranknet\n"
    "optimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 4}\nrerank: {retriever: bm25, depth: 20}\n"
)
ORDER = "kind: order\ncorpus: python-faq\nqueries: %s\npool: two\nranking: %s\n"
ENTITIES = {
    "pools/two.yaml": "sources: [bm25, minilm]\nstrategy: round-robin\ndepth: 25\n",
    "rankings/windows.yaml": "kind: listwise\nprompt: rank-listwise\npassage_words: 60\nwindow: 10\nstep: 5\n",
    "rankings/choices.yaml": "kind: setwise\nprompt: rank-setwise\ncompared: 4\ntop: 5\n",
    "augmentations/asked.yaml": "kind: llm-query\nprompt: query-zero-shot\nllm: gemini-2.5-flash\ncount: 41\n"
    "per_passage: 2\npassage_words: 50\n",
    "augmentations/cut.yaml": "kind: crop\ncount: 30\n",
    "augmentations/blend.yaml": "kind: mixture\nparts: [{augmentation: cut, count: 20}, "
    "{augmentation: asked, count: 16}]\n",
    "recipes/order-blend.yaml": ORDER % ("blend", "windows"),
    "recipes/order-train.yaml": ORDER % ("train", "windows"),
    "recipes/order-choices.yaml": ORDER % ("blend", "choices"),
    "retrievers/as-ordered.yaml": "kind: ordered\npool: two\nranking: choices\nllm: echo\n",
    "rankers/pupil.yaml": RANKER,
    "rankers/pupil-again.yaml": RANKER.replace("{model: minilm-l12-h384}", "{recipe: warm-up, ranker: pupil}"),
    "testsets/lxml.yaml": "corpus: lxml\nsplit: test\nfirst_stage: minilm\ndepth: 12\n",
    "published/little.yaml": "results:\n  - {method: A, source: here, values: {lxml: {nDCG@10: 0.5}}}\n",
}
TWOLAR = {
    "llms": ["gpt-4.1-mini", "echo"],
    "recipes": ["order-blend", "order-train", "human", "zero-shot"],
    "rankers": ["pupil-again", "bi-encoder"],
    "suites": ["faq"],
    "first_stages": ["as-ordered"],
    "measures": ["nDCG@1", "nDCG@10"],
    "published": "little",
    "ablations": {"rankings": {"recipes": ["order-blend", "order-choices"], "rankers": ["pupil"]}},
}


def make_config(folder: Path, config: Path) -> Path:
    """Copy ``config`` into ``folder`` and put the study's entity files there."""
    copy = Path(shutil.copytree(config, folder / "config"))
    for name, text in ENTITIES.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
    return copy


def make_study(copy: Path, twolar: dict | None = TWOLAR, **changed: object) -> Study:
    """Return the study of a copy, with TWOLAR as its distillation study, with changed keys, or without one."""
    settings = {**read_yaml(copy / "config.yaml"), "twolar": {**TWOLAR, **twolar} if twolar else None}
    return Study(copy, settings | changed)
