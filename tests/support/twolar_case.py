"""A small distillation study with made-up scores: two test sets, two first stages, two students, two seeds."""

from synthrank.data.scores import Score, write_scores

RERANKER = """architecture: {architecture}
base: {base}
max_length: 32
loss: lambda
optimiser: {{learning_rate: 1.0e-3, epochs: 1, batch_size: 4}}
rerank: {{retriever: bm25, depth: 20}}
"""
ENTITIES = {
    "rankers/ce.yaml": RERANKER.format(architecture="cross-encoder", base="{recipe: warm-up, ranker: warm}"),
    "rankers/warm.yaml": RERANKER.format(architecture="cross-encoder", base="{model: tiny}"),
    "rankers/be.yaml": "architecture: bi-encoder\nbase: {model: wide}\nmax_length: 32\nloss: multiple-negatives\n"
    "optimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 4}\n",
    "retrievers/bm25.yaml": "kind: bm25\n",
    "retrievers/dense.yaml": "kind: dense\nmodel: minilm\n",
    "testsets/moss.yaml": "corpus: moss\nsplit: test\n",
    # reranks another run, to a smaller depth, than the ranker's file states
    "testsets/fern.yaml": "corpus: fern\nsplit: test\nfirst_stage: dense\ndepth: 7\n",
}
QUERIES = {"moss": 6, "fern": 4}
MEASURES = ["nDCG@1", "nDCG@10"]
OWN = {"moss": "bm25", "fern": "dense"}
RECIPES = (("none", "none"), ("orders", "echo"), ("orders", "gpt"), ("teacher", "none"))


def value(ranker, recipe, llm, seed, testset, measure, place):
    """Return a score that differs for every combination of names, so that cells cannot be confused."""
    strength = {"bm25": 0.3, "dense": 0.35, "ce": 0.4, "ce+bm25": 0.42, "ce+dense": 0.43, "be": 0.5}[ranker]
    strength += {"none": 0.0, "orders": 0.11, "teacher": 0.07}[recipe] + {"none": 0, "echo": 0.01, "gpt": 0.02}[llm]
    strength += {"": 0.0, "1": -0.003, "2": 0.004}[seed] + (0.05 if testset == "fern" else 0)
    ripple = ((7 * place + 3 * len(ranker) + 5 * len(recipe) + len(llm)) % 11 - 5) / 40
    return round(strength + ripple + (0.02 if measure == "nDCG@1" else 0), 6)


def scores(ranker, recipe, llm, seeds, testsets=tuple(QUERIES), measures=(*MEASURES, "AP")):
    return [
        Score(ranker, recipe, llm, seed, testset, measure, f"{testset}-{place}",
              value(ranker, recipe, llm, seed, testset, measure, place))
        for seed in seeds for testset in testsets for measure in measures for place in range(QUERIES[testset])
    ]  # fmt: skip


def all_scores():
    """Return every file's scores, by name: reranked first stages, dense retrievers on every test set, all students."""
    files = {f"testsets/{testset}-dense": scores("dense", "none", "none", [""], [testset]) for testset in QUERIES}
    files["testsets/moss-bm25"] = scores("bm25", "none", "none", [""], ["moss"])
    for recipe, llm in RECIPES:
        for seed in ("1", "2"):
            fused = [row for testset in QUERIES for row in scores(f"ce+{OWN[testset]}", recipe, llm, [seed], [testset])]
            files[f"ce-{recipe}-{llm}-{seed}"] = [*scores("ce", recipe, llm, [seed]), *fused]
            files[f"be-{recipe}-{llm}-{seed}"] = scores("be", recipe, llm, [seed])
    return files


def write_case(folder):
    """Write entity files and scores, and return the scores' files."""
    for name, text in ENTITIES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return write_files(folder, all_scores())


def write_files(folder, files):
    paths = []
    for name, rows in files.items():
        paths.append(folder / "metrics" / f"{name}.csv")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        write_scores(paths[-1], rows)
    return paths
