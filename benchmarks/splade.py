"""Passages a second of a SPLADE model: ``python benchmarks/splade.py [--model FOLDER] [--threads 2]``.

The same passages are encoded three ways in turn, and the best time of each counts: by sentence-transformers as it is,
by ImpactEncoder with sentence-transformers' pooling, and by ImpactEncoder with ours. The last two differ in the pooling
alone, and must give the same impacts. The model is made by ``snakemake --cores 1 results/models/splade-tiny``.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

import torch  # noqa: E402
from sentence_transformers import SparseEncoder  # noqa: E402

from synthrank.retrievers import sparse  # noqa: E402
from synthrank.specs.retrievers import Sparse  # noqa: E402

WORDS_EACH = (15, 60, 240)
BATCH_SIZES = (8, 32)


def passages(count: int, words: int) -> list[str]:
    """Return passages of a number of words on average, of the words of the licence in a random order."""
    chance = random.Random(words)
    known = (PROJECT / "LICENSE").read_text(encoding="utf-8").split()
    return [" ".join(chance.choices(known, k=chance.randint(words // 2, words * 3 // 2))) for _ in range(count)]


def encoders(folder: Path, batch_size: int) -> dict[str, Callable[[list[str]], object]]:
    """Return the three ways to encode passages."""
    spec = Sparse(kind="sparse", model="m", batch_size=batch_size)
    library = SparseEncoder(str(folder), device="cpu", local_files_only=True)
    library.max_seq_length = spec.max_length
    ours, early = sparse.ImpactEncoder(spec, folder), sparse.pool_early
    sparse.pool_early = lambda model: False
    theirs = sparse.ImpactEncoder(spec, folder)
    sparse.pool_early = early
    return {
        "library": lambda texts: library.encode_document(texts, batch_size=batch_size, show_progress_bar=False),
        "library's pooling": theirs.passages,
        "our pooling": ours.passages,
    }


def check(found: list[sparse.Impacts], expected: list[sparse.Impacts]) -> int:
    """Return how many impacts are 1 apart, as rounding may have it; more must not be."""
    gaps = [
        abs(one.get(term, 0) - other.get(term, 0))
        for one, other in zip(found, expected, strict=True)
        for term in {*one, *other}
    ]
    assert max(gaps) <= 1, f"an impact is {max(gaps)} apart"
    return sum(gaps)


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("results/models/splade-tiny"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--passages", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.threads} threads, {options.passages} passages, best of {options.repeats}")
    for batch_size in BATCH_SIZES:
        ways = encoders(options.model, batch_size)
        for words in WORDS_EACH:
            texts = passages(options.passages, words)
            best, made = dict.fromkeys(ways, float("inf")), {}
            for _ in range(options.repeats):
                for name, encode in ways.items():
                    start = time.perf_counter()
                    made[name] = encode(texts)
                    best[name] = min(best[name], time.perf_counter() - start)
            apart = check(made["our pooling"], made["library's pooling"])
            rates = ", ".join(f"{name} {len(texts) / seconds:.0f}" for name, seconds in best.items())
            ratio = best["library's pooling"] / best["our pooling"]
            print(
                f"batch {batch_size}, {words} words: {rates} a second; {ratio:.1f} times; {apart} impacts differ by 1"
            )


if __name__ == "__main__":
    main()
