"""Learned sparse retrieval: term weights by a SPLADE model, as whole numbers in an impact index of Anserini's.

The score is the sum over terms of query weight times passage weight, both multiplied by the quantisation and rounded.
Lucene sums in 32-bit floats, which are exact up to 2**24: at the quantisation 100 a sum of 1677 unquantised.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SparseEncoder
from sentence_transformers.sparse_encoder.modules import SpladePooling

from synthrank.devices import device, dtype
from synthrank.errors import ModelError
from synthrank.progress import Progress
from synthrank.records import Query
from synthrank.retrievers import anserini
from synthrank.retrievers.impacts import IMPACT, Impacts
from synthrank.retrievers.splade_pooling import pool_early
from synthrank.specs.retrievers import Sparse
from synthrank.texts import chunks
from synthrank.trec import Run
from synthrank.weights import own_weights, refuse_long

QUERIES_AT_ONCE = 2000
"""Queries in one call of Anserini: a term stands in a query as often as its weight says, some 60 KB a query."""

MOST_TERMS = 1024
"""Clauses that Lucene takes in one query."""

log = logging.getLogger(__name__)


class ImpactEncoder:
    """A SPLADE model: texts in, impacts out."""

    def __init__(self, spec: Sparse, model: Path) -> None:
        """Load the model from its folder.

        Raises:
            ModelError: the folder holds no model of this kind that can be read without running foreign code, lacks
                weights of it, or it cannot read so many tokens.
        """
        self._folder = model
        self._model = _open(model, spec)
        self._model.max_seq_length = spec.max_length
        self._batch_size, self._quantisation = spec.batch_size, spec.quantisation

    def queries(self, texts: Sequence[str]) -> list[Impacts]:
        """Return the impacts of queries.

        Raises:
            ModelError: a weight is not finite.
        """
        return self._encode(self._model.encode_query, texts)

    def passages(self, texts: Sequence[str]) -> list[Impacts]:
        """Return the impacts of passages.

        Raises:
            ModelError: a weight is not finite.
        """
        return self._encode(self._model.encode_document, texts)

    def _encode(self, encode: Callable[..., Any], texts: Sequence[str]) -> list[Impacts]:
        """Encode batches of texts of like length; of a batch's weights, only those above 0 leave the device."""
        impacts: list[Impacts] = [{} for _ in texts]
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for places in chunks(order, self._batch_size):
            weights = encode(
                [texts[place] for place in places],
                batch_size=len(places),
                convert_to_sparse_tensor=False,
                show_progress_bar=False,
            )
            finite = weights.isfinite().all(dim=1)
            if not finite.all():
                text = texts[places[int(finite.int().argmin())]]
                raise ModelError(
                    f"{self._folder}: a term's weight in {text[:60]!r} is not finite; expected finite numbers"
                )
            rows, terms = weights.nonzero(as_tuple=True)
            whole = (weights[rows, terms].float() * self._quantisation).round().int()
            for row, term, impact in zip(rows.tolist(), terms.tolist(), whole.tolist(), strict=True):
                if impact:
                    impacts[places[row]][term] = impact
        return impacts


def _open(model: Path, spec: Sparse) -> SparseEncoder:
    try:
        with own_weights(model):
            encoder = SparseEncoder(
                str(model), device=device(), local_files_only=True, model_kwargs={"dtype": dtype(spec.dtype)}
            )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{model}: not a sparse encoder ({error}); expected config.json, tokenizer, safetensors"
        ) from error
    # Of any other model the library makes a sparse one with a random layer.
    if not any(isinstance(module, SpladePooling) for module in encoder.modules()):
        raise ModelError(f"{model}: not a SPLADE model; expected a masked language model, or modules.json that says so")
    refuse_long(encoder.transformers_model, model, spec.max_length)
    pool_early(encoder)
    return encoder


def search(index: Path, queries: Sequence[Query], encoder: ImpactEncoder, depth: int, threads: int) -> Run:
    """Return the ``depth`` best passages of each query, in the order of the queries.

    A query that shares no term with any passage has no list. Scores are whole numbers, made strict where they tie.

    Raises:
        ModelError: Java or Anserini is not to be had, or fails.
    """
    run: Run = {}
    with Progress(len(queries), "queries") as state:
        for some in chunks(queries, QUERIES_AT_ONCE):
            impacts = encoder.queries([query.text for query in some])
            longest = max(map(len, impacts))
            if longest > MOST_TERMS:
                log.warning("a query has %d terms; of such queries the %d heaviest count", longest, MOST_TERMS)
            asked = [Query(query.id, _words(weights)) for query, weights in zip(some, impacts, strict=True)]
            run |= anserini.search(index, asked, depth, threads, *IMPACT)
            state.advance(len(some))
    return run


def _words(impacts: Impacts) -> str:
    """Return a query in which every term stands as often as its weight says: Anserini counts them."""
    heaviest = sorted(impacts.items(), key=lambda item: (-item[1], item[0]))[:MOST_TERMS]
    return "".join(f"{term} " * weight for term, weight in heaviest)
