"""Step gather_predicted_queries: concatenate the queries predicted from all shards of the sampled passages."""

import json
import logging
from itertools import chain
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, Doc2QueryQueries
from synthrank.config.base import load
from synthrank.data.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.data.records import Query
from synthrank.data.shards import check_names
from synthrank.errors import BudgetError, ModelError
from synthrank.steps.queries.sources import ids_of

log = logging.getLogger(__name__)


def gather_predicted_queries(
    *, spec: Path, model: Path, sampled: Path, shards: list[Path], raw: Path, sampling: Path
) -> None:
    """Concatenate the shards, and take the first ``count`` queries.

    Empty queries are left out; the others keep their numbers.

    Args:
        spec: the augmentation's entity file, of kind doc2query.
        model: the folder of the model, for the hashes of its weights.
        sampled: the sampled passages.
        shards: the queries of every shard, in order.
        raw: written: the queries, passages in the seeded order; ``source`` is the passage of a query.
        sampling: written: the model, the hashes of its weights and the sampling settings.

    Raises:
        ModelError: the folder was not written by ``unpack_model``.
        ShardError: a shard has queries of passages of another shard.
        BudgetError: all predicted queries are empty.
    """
    settings: Doc2QueryQueries = load(AugmentationSpec, spec)
    weights, passages = _read_weights(model), ids_of(sampled)
    sources = [(path, list(dict.fromkeys(row["source"] for _, row in json_lines(path)))) for path in shards]
    check_names(sources, passages)
    predicted = list(chain.from_iterable(read_jsonl(path, Query) for path in shards))
    queries = [query for query in predicted if query.text]
    if not queries:
        raise BudgetError(f"{sampled}: {model.name} predicted only empty queries from {len(passages)} passages")
    log.info("%d queries from %d passages", len(queries), len(passages))
    stated = settings.model_dump(mode="json", exclude={"filters", "count"})
    empty = len(predicted) - len(queries)
    write_jsonl(raw, queries[: settings.count])
    write_json(sampling, {**stated, "weights": weights, "passages": len(passages), "empty": empty})


def _read_weights(model: Path) -> object:
    """Return the hashes of a model's weights, which identify the model."""
    source = model / "source.json"
    if not source.is_file():
        raise ModelError(f"{source}: no such file; expected a model folder that unpack_model writes")
    return json.loads(source.read_text(encoding="utf-8"))["weights"]
