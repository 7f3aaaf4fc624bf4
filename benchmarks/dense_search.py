"""Indexes of dense retrieval side by side: ``python benchmarks/dense_search.py [--passages 500000] [--threads 1]``.

Vectors are made up: a mixture of Gaussians around a centre for every 50 passages, centres drawn evenly from the unit
sphere, every vector brought to length one; a query is a passage with noise half as large as that around a centre. Texts
of a real collection cluster less evenly: the order of the rows carries over, a recall need not. What is timed is what
the steps do: an index from encodings on disk, and a search of the index on disk, files in the page cache.

Recall@100 is the share of the exact list's 100 that is found. Bytes a vector are those of the index's files.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))
os.environ["SYNTHRANK_PROGRESS"] = "log"

DIMENSIONS, DEPTH, PASSAGES_A_CENTRE, SPREAD = 384, 100, 50, 1.0

INDEXES = {
    "flat, float32": {"kind": "flat"},
    "flat, float16": {"kind": "flat", "dtype": "float16"},
    "IVF-PQ, 96 bytes, nprobe 16": {"kind": "ivf-pq", "nprobe": 16},
    "IVF-PQ, 96 bytes, nprobe 64": {"kind": "ivf-pq", "nprobe": 64},
    "IVF-PQ, 192 bytes, nprobe 64": {"kind": "ivf-pq", "nprobe": 64, "m": 192},
    "HNSW, float16, m 32, ef 256": {"kind": "hnsw", "dtype": "float16"},
}


def main() -> None:
    """Make the vectors, build and search every index, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=500_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure(Path(folder), options.passages, options.queries))
    print(f"{options.passages:,} x {DIMENSIONS}, {options.queries:,} queries, threads: {options.threads}\n")
    print("| index | recall@100 | queries a second | bytes a vector | build, s |\n|---|---|---|---|---|")
    for row in rows:
        print("| {} | {:.4f} | {:,.1f} | {:,.0f} | {:,.1f} |".format(*row))


def measure(folder: Path, passages: int, queries: int) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield (name, recall, queries a second, bytes a vector, seconds of the build) of each index."""
    from synthrank.encodings import read_encodings
    from synthrank.records import Query
    from synthrank.retrievers.dense_index import build, search
    from synthrank.specs.retrievers import Dense

    vectors = make(folder, passages, queries)
    asked = [Query(str(place), "") for place in range(queries)]
    exact: dict[str, set[str]] = {}
    for name, index in INDEXES.items():
        spec = Dense.model_validate({"kind": "dense", "model": "m", "depth": DEPTH, "index": index})
        start = time.perf_counter()
        build(read_encodings(folder / spec.index.dtype), spec, folder / "index")
        built = time.perf_counter()
        run = search(folder / "index", spec, vectors, asked)
        seconds = time.perf_counter() - built
        found = {query: {passage for passage, _ in ranked} for query, ranked in run.items()}
        exact = exact or found
        recall = sum(len(found[query] & best) for query, best in exact.items()) / sum(map(len, exact.values()))
        files = list((folder / "index").iterdir())
        yield name, recall, queries / seconds, sum(file.stat().st_size for file in files) / passages, built - start
        for file in files:
            file.unlink()
        (folder / "index").rmdir()


def make(folder: Path, passages: int, queries: int):
    """Write the passages as encodings of either type, and return the queries' vectors."""
    import numpy as np

    from synthrank.encodings import TOGETHER, write_encodings
    from synthrank.shards import Shard

    chance = np.random.default_rng(13)
    centres = _unit(chance.standard_normal((max(passages // PASSAGES_A_CENTRE, 1), DIMENSIONS), dtype=np.float32))
    noise = SPREAD / DIMENSIONS**0.5
    rows = [(f"p{place}", str(place)) for place in range(passages)]

    def encode(texts: list[str]):
        drawn = np.random.default_rng([13, int(texts[0]) // TOGETHER])
        of = drawn.integers(len(centres), size=len(texts))
        return _unit(centres[of] + noise * drawn.standard_normal((len(texts), DIMENSIONS), dtype=np.float32))

    for dtype in ("float32", "float16"):
        write_encodings(encode, rows, passages, folder / dtype, dtype, shard=Shard(1, 1))
    near = np.load(folder / "float32/vectors.npy", mmap_mode="r")[:: max(passages // queries, 1)][:queries]
    return _unit(near + noise / 2 * chance.standard_normal(near.shape, dtype=np.float32))


def _unit(vectors):
    """Return vectors of length one."""
    return vectors / (vectors**2).sum(axis=1, keepdims=True) ** 0.5


if __name__ == "__main__":
    main()
