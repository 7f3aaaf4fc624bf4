"""Approximate search by faiss: inverted lists of product-quantised codes, or a graph of near neighbours.

An index folder holds ``vectors.faiss``, ``ids.jsonl`` and ``index.json``. It is memory-mapped as it is searched. faiss
takes the number of threads from OMP_NUM_THREADS, which Snakemake sets to those of the rule.
"""

from collections.abc import Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from synthrank.encodings import Encodings, Ids, Vectors, write_ids
from synthrank.errors import ConfigError, DataError
from synthrank.files import read_format, write_format
from synthrank.progress import Progress
from synthrank.records import Query
from synthrank.specs.retrievers import HnswIndex, IvfPqIndex
from synthrank.trec import Run, rank

FORM, FORMAT = "index.json", 1

PASSAGES_AT_ONCE = 16_384
"""Vectors that are added at a time."""

QUERIES_AT_ONCE = 2048
"""Queries that are searched at a time."""

A_LIST = 64
"""Vectors a list that a fit is given; faiss asks for 39 at least, and takes 256 at most."""

ApproximateSpec = IvfPqIndex | HnswIndex


def build(encodings: Encodings, spec: ApproximateSpec, folder: Path) -> None:
    """Build an index in a new folder.

    Memory: the index itself (the entity file's documentation says how many bytes a vector), the vectors that are fitted
    to, and a block.

    Raises:
        ConfigError: the vectors are too few to fit to, or cannot be divided as the entity file says.
    """
    index = _graph(encodings, spec) if isinstance(spec, HnswIndex) else _lists(encodings, spec)
    with Progress(len(encodings), "passages") as state:
        for _, block in encodings.blocks(PASSAGES_AT_ONCE):
            index.add(block)
            state.advance(len(block))
    folder.mkdir()
    faiss.write_index(index, str(folder / "vectors.faiss"))
    write_ids(folder / "ids.jsonl", encodings.ids())
    write_format(folder, FORM, FORMAT, kind=spec.kind, rows=len(encodings))


def _graph(encodings: Encodings, spec: HnswIndex) -> Any:
    stored = "SQfp16" if spec.dtype == "float16" else "Flat"
    index: Any = faiss.index_factory(encodings.dimensions, f"HNSW{spec.m},{stored}", faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = spec.ef_construction
    index.train(encodings.at([0]))  # there is nothing to fit, but faiss wants to be told
    return index


def _lists(encodings: Encodings, spec: IvfPqIndex) -> Any:
    passages, dimensions = len(encodings), encodings.dimensions
    lists = spec.nlist or 4 * isqrt(passages)
    least = max(lists, 2**spec.nbits)
    if dimensions % spec.m:
        raise ConfigError(f"index.m: got {spec.m}; expected a divisor of the {dimensions} dimensions of the vectors")
    if min(passages, spec.training or passages) < least:
        raise ConfigError(f"index: {least:,} lists or codes cannot be fitted to {passages:,} passages; take kind: flat")
    index: Any = faiss.index_factory(dimensions, f"IVF{lists},PQ{spec.m}x{spec.nbits}", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = index.pq.cp.seed = spec.seed
    size = min(spec.training or A_LIST * least, passages)
    chosen = np.random.default_rng(spec.seed).choice(passages, size, replace=False, shuffle=False)
    index.train(encodings.at(np.sort(chosen).tolist()))
    return index


def search(folder: Path, spec: ApproximateSpec, vectors: Vectors, queries: Sequence[Query], depth: int) -> Run:
    """Return the passages that are found for each query, at most ``depth``, ranked by inner product.

    Args:
        folder: what :func:`build` made.
        spec: how much is looked through; what else it says was built in.
        vectors: the queries' vectors, shape (queries, dimensions).
        queries: the queries, in the same order.
        depth: how many passages; a list is shorter where fewer are met.

    Raises:
        DataError: the folder is of another version or kind.
    """
    form = read_format(folder, FORM, FORMAT)
    if form["kind"] != spec.kind:
        raise DataError(f"{folder}: holds {form['kind']}; the entity file says {spec.kind}: delete it, run again")
    rows = form["rows"]
    ids = Ids(folder / "ids.jsonl", rows)
    index = _open(folder, spec, depth)
    run: Run = {}
    with Progress(len(queries), "queries") as state:
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            stop = start + QUERIES_AT_ONCE
            scores, places = index.search(np.ascontiguousarray(vectors[start:stop]), min(depth, rows))
            for query, values, row in zip(queries[start:stop], scores.tolist(), places.tolist(), strict=True):
                found = [(ids[place], score) for place, score in zip(row, values, strict=True) if place >= 0]
                run[query.id] = rank(found)
            state.advance(len(queries[start:stop]))
    return run


def _open(folder: Path, spec: ApproximateSpec, depth: int) -> Any:
    path = str(folder / "vectors.faiss")
    if isinstance(spec, HnswIndex):
        index: Any = faiss.read_index(path, faiss.IO_FLAG_MMAP_IFC)
        index.hnsw.efSearch = max(spec.ef_search, depth)
    else:
        index = faiss.read_index(path, faiss.IO_FLAG_MMAP)
        index.nprobe = min(spec.nprobe, index.nlist)
    return index
