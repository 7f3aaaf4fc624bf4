"""Approximate search by faiss: inverted lists of product-quantised codes (IVF-PQ), or a neighbour graph (HNSW).

The folder of an index contains ``vectors.faiss``, ``ids.jsonl`` and ``index.json``. Searches memory-map the index.
faiss uses OMP_NUM_THREADS threads, which Snakemake sets to the threads of the rule.
"""

from collections.abc import Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from synthrank.config.retrievers import HnswIndex, IvfPqIndex
from synthrank.data.files import read_format, write_format
from synthrank.data.records import Query
from synthrank.data.trec import Run, rank
from synthrank.errors import ConfigError, DataError
from synthrank.runtime.progress import Progress
from synthrank.vectors.store import Encodings, MappedIds, Vectors, write_ids

FORM, FORMAT = "index.json", 1

PASSAGES_AT_ONCE = 16_384
"""Vectors added per call."""

QUERIES_AT_ONCE = 2048
"""Queries searched per call."""

VECTORS_PER_LIST = 64
"""Training vectors per list or code; faiss needs at least 39 and uses at most 256."""

ApproximateSpec = IvfPqIndex | HnswIndex


def build(encodings: Encodings, spec: ApproximateSpec, folder: Path) -> None:
    """Build an index in a new folder.

    Memory: the index (the configuration's documentation states the bytes per vector), the training vectors, and a
    block.

    Raises:
        ConfigError: there are too few vectors to train the index, or ``m`` does not divide their dimensions.
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
    index.train(encodings.at([0]))  # required by faiss, although nothing is trained
    return index


def _lists(encodings: Encodings, spec: IvfPqIndex) -> Any:
    passages, dimensions = len(encodings), encodings.dimensions
    lists = spec.nlist or 4 * isqrt(passages)
    least = max(lists, 2**spec.nbits)
    if dimensions % spec.m:
        raise ConfigError(f"index.m: got {spec.m}; expected a divisor of the {dimensions} dimensions of the vectors")
    if min(passages, spec.training or passages) < least:
        raise ConfigError(f"index: {passages:,} passages are too few for {least:,} lists or codes; use kind: flat")
    index: Any = faiss.index_factory(dimensions, f"IVF{lists},PQ{spec.m}x{spec.nbits}", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = index.pq.cp.seed = spec.seed
    size = min(spec.training or VECTORS_PER_LIST * least, passages)
    chosen = np.random.default_rng(spec.seed).choice(passages, size, replace=False, shuffle=False)
    index.train(encodings.at(np.sort(chosen).tolist()))
    return index


def search(folder: Path, spec: ApproximateSpec, vectors: Vectors, queries: Sequence[Query], depth: int) -> Run:
    """Return at most ``depth`` passages per query, ranked by inner product.

    Args:
        folder: the folder made by :func:`build`.
        spec: the index; only ``nprobe`` or ``ef_search`` affects a search.
        vectors: the queries' vectors, shape (queries, dimensions).
        queries: the queries, in the same order.
        depth: maximum number of passages per query; the search may find fewer.

    Raises:
        DataError: the folder has another version or kind.
    """
    form = read_format(folder, FORM, FORMAT)
    if form["kind"] != spec.kind:
        raise DataError(f"{folder}: kind is {form['kind']}; expected {spec.kind}; delete the folder and run again")
    rows = form["rows"]
    ids = MappedIds(folder / "ids.jsonl", rows)
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
