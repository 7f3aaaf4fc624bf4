"""Learned sparse retrieval: integer term weights of a SPLADE model in an impact index of Anserini.

The score is the sum over terms of query weight times passage weight, both multiplied by the quantisation and rounded.
Lucene sums in 32-bit floats, which are exact up to 2**24, an unquantised sum of 1677 at the quantisation 100.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SparseEncoder
from sentence_transformers.sparse_encoder.modules import SpladePooling

from synthrank.config.retrievers import Sparse
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Query
from synthrank.data.trec import Run
from synthrank.errors import ModelError
from synthrank.retrievers import anserini
from synthrank.retrievers.impacts import IMPACT, Impacts
from synthrank.retrievers.splade_pooling import pool_early
from synthrank.runtime.model_checks import own_weights, refuse_long
from synthrank.runtime.progress import Progress
from synthrank.runtime.torch_setup import device, dtype
from synthrank.vectors.encoder import read_texts_plainly

QUERIES_AT_ONCE = 2000
"""Queries per call of Anserini. A query repeats each term as often as its weight, about 60 KB per query."""

MOST_TERMS = 1024
"""Lucene's maximum number of terms per query."""

log = logging.getLogger(__name__)


class ImpactEncoder:
    """A SPLADE model that maps texts to impacts."""

    def __init__(self, spec: Sparse, model: Path) -> None:
        """Load the model from its folder.

        Raises:
            ModelError: the folder does not contain a SPLADE model that loads without external code, weights are
                missing, or the model's maximum length is too small.
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
        """Encode batches of texts of similar length; only weights above 0 are copied from the device."""
        impacts: list[Impacts] = [{} for _ in texts]
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for places in split_into_batches(order, self._batch_size):
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
    # The library turns any other model into a sparse encoder with a random layer.
    if not any(isinstance(module, SpladePooling) for module in encoder.modules()):
        raise ModelError(
            f"{model}: not a SPLADE model; expected a masked language model, or modules.json with a SpladePooling"
        )
    refuse_long(encoder.transformers_model, model, spec.max_length)
    read_texts_plainly(encoder)
    pool_early(encoder)
    return encoder


def search(index: Path, queries: Sequence[Query], encoder: ImpactEncoder, depth: int, threads: int) -> Run:
    """Return the ``depth`` best passages per query, in the order of the queries.

    A query without a common term with any passage is not in the run. Scores are integers, lowered slightly at ties.

    Raises:
        ModelError: Java or Anserini is missing or fails.
    """
    run: Run = {}
    with Progress(len(queries), "queries") as state:
        for some in split_into_batches(queries, QUERIES_AT_ONCE):
            impacts = encoder.queries([query.text for query in some])
            longest = max(map(len, impacts))
            if longest > MOST_TERMS:
                log.warning(
                    "a query has %d terms; only the %d terms with the highest weights are used", longest, MOST_TERMS
                )
            terms = [Query(query.id, _words(weights)) for query, weights in zip(some, impacts, strict=True)]
            run |= anserini.search(index, terms, depth, threads, *IMPACT)
            state.advance(len(some))
    return run


def _words(impacts: Impacts) -> str:
    """Return a query that repeats each term as often as its weight, because Anserini counts terms."""
    heaviest = sorted(impacts.items(), key=lambda item: (-item[1], item[0]))[:MOST_TERMS]
    return "".join(f"{term} " * weight for term, weight in heaviest)
