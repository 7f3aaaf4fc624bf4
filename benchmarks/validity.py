"""The report on training passages: ``python benchmarks/validity.py [--sizes 1000 10000 100000] [--model FOLDER]``.

For each size, in fresh processes, the whole steps measure_passages and find_leaks: reading, measuring or comparing,
writing. There are as many queries as passages; passages have 80 words, queries 8, drawn from this project's own pages
in their frequencies, and 1 passage in 100 is another one with one word changed. Two test sets have 500 queries and
2,500 relevant passages each; 1 in 100 of these is planted. Everything is compared by exact words and by runs of 8 and
13 words. The model, MiniLM as packaged unless another is given, encodes the sample of 1,000 passages whole, for
diversity, and of every other text its first 32 words (``words`` of the leak tests), for near duplicates of cosine 0.95.

``results/models/all-minilm-l6-v2`` is made by ``snakemake --cores 2 -- results/models/all-minilm-l6-v2``. Seconds of
processor time are printed too, for a machine that others use: on two cores of its own a step takes more than half.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from synthrank.files import write_jsonl  # noqa: E402
from synthrank.records import Judgment, Passage, Query, WrittenPassage  # noqa: E402
from synthrank.specs.leaks import LeakTests  # noqa: E402
from synthrank.trec import write_qrels  # noqa: E402

STEPS = ("measure_passages", "find_leaks")
TESTSETS = ("one", "two")
PASSAGE, QUERY = 80, 8
TESTS = LeakTests(ngrams=(8, 13), cosine=0.95, retriever="minilm")
REFUSALS = ["as an ai", "i cannot", "i can't", "i'm sorry", "here is a passage", "here's a passage"]


def make(folder: Path, size: int) -> None:
    """Write written passages and two test sets that hold some of them."""
    chance = random.Random(size)
    pages = (ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    words = [word for page in pages for word in page.read_text(encoding="utf-8").split() if word.isalpha()]

    def text(count: int) -> str:
        return " ".join(chance.choices(words, k=count)) + "."

    passages = [text(PASSAGE) for _ in range(size)]
    for place in range(0, size - 1, 100):
        passages[place] = passages[place + 1].replace(" ", " changed ", 1)
    written = [WrittenPassage(f"q{n}@made", passage, f"q{n}", text(QUERY)) for n, passage in enumerate(passages)]
    write_jsonl(folder / "data.jsonl", written)
    (folder / "dense.yaml").write_text("kind: dense\nmodel: minilm\nmax_length: 128\ndtype: bfloat16\n")
    for name in TESTSETS:
        relevant = [chance.choice(passages) if n % 100 == 0 else text(PASSAGE) for n in range(2500)]
        write_jsonl(folder / f"{name}-queries.jsonl", [Query(f"t{n}", text(QUERY)) for n in range(500)])
        write_jsonl(folder / f"{name}-corpus.jsonl", [Passage(f"d{n}", passage) for n, passage in enumerate(relevant)])
        write_qrels(folder / f"{name}-qrels.txt", [Judgment(f"t{n % 500}", f"d{n}", 1) for n in range(2500)])


def measure(step: str, folder: Path, model: Path) -> None:
    """Run a step, and print seconds, seconds of processor time, peak memory, and what it found."""
    start = time.perf_counter()
    if step == "measure_passages":
        from synthrank.validity.measure_passages import measure_passages

        measure_passages(
            data=folder / "data.jsonl", retriever=folder / "dense.yaml", model=model, sample=1000, refusals=REFUSALS,
            seed=13, statistics=folder / "statistics.json", passages=folder / "passages.csv",
        )  # fmt: skip
        found = json.loads((folder / "statistics.json").read_text())
        told = f"near duplicates {found['near_duplicates']:.3f}, self-BLEU {found['self_bleu']:.1f}"
    else:
        from synthrank.validity.find_leaks import find_leaks

        files = [
            [folder / f"{name}-{kind}" for name in TESTSETS] for kind in ("queries.jsonl", "qrels.txt", "corpus.jsonl")
        ]
        find_leaks(
            data=folder / "data.jsonl", exemplars=[], testsets=list(TESTSETS), queries=files[0], qrels=files[1],
            passages=files[2], retriever=[folder / "dense.yaml"], model=[model], tests=TESTS.model_dump_json(),
            leaks=folder / "leaks.jsonl", counts=folder / "leaks.json",
        )  # fmt: skip
        leaks = json.loads((folder / "leaks.json").read_text())["leaks"]["one"]
        told = (
            ", ".join(f"{kind} {by_what['passage']}" for kind, by_what in leaks.items()) + " passages in one test set"
        )
    wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"  {step}: {wall:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor time, "
        f"{used.ru_maxrss / 2**20:.1f} GB at most; {told}",
        flush=True,
    )


def main() -> None:
    """Make each size and measure both steps on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--model", type=Path, default=ROOT / "results/models/all-minilm-l6-v2")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]), options.model)
        return
    if not (options.model / "config.json").is_file():
        sys.exit(f"{options.model}: no model is there; make it by the workflow, or name another with --model")
    for size in sorted(options.sizes):
        with tempfile.TemporaryDirectory() as name:
            make(Path(name), size)
            print(f"{size:,} passages", flush=True)
            for step in STEPS:
                command = [sys.executable, __file__, "--measure", step, name, "--model", str(options.model)]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
