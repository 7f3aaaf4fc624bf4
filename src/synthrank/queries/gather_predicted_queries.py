"""Step gather_predicted_queries: the queries that were predicted from all shards of the sampled passages."""

import json
import logging
from itertools import chain
from pathlib import Path

from synthrank.errors import BudgetError, ModelError
from synthrank.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.queries.sources import ids_of
from synthrank.records import Query
from synthrank.shards import check_names
from synthrank.specs.augmentations import AugmentationSpec, Doc2QueryQueries
from synthrank.specs.base import load

log = logging.getLogger(__name__)


def gather_predicted_queries(
    *, spec: Path, model: Path, sampled: Path, shards: list[Path], raw: Path, sampling: Path
) -> None:
    """Concatenate shards, and take the first ``count`` queries of them.

    An empty query is left out, and takes its number with it.

    Args:
        spec: the augmentation's entity file, of kind doc2query.
        model: the folder of the model, for the hashes of its weights.
        sampled: the passages that were predicted from.
        shards: the queries of every shard, from the first on.
        raw: written: the queries, passages in the seeded order; ``source`` is the passage each was made from.
        sampling: written: the model, its weights and all that determined its choices.

    Raises:
        ModelError: the folder is none that ``unpack_model`` wrote.
        ShardError: a shard holds the queries of other passages than it should.
        BudgetError: no passage gave a query.
    """
    settings: Doc2QueryQueries = load(AugmentationSpec, spec)
    weights, passages = _weights(model), ids_of(sampled)
    sources = [(path, list(dict.fromkeys(row["source"] for _, row in json_lines(path)))) for path in shards]
    check_names(sources, passages)
    predicted = list(chain.from_iterable(read_jsonl(path, Query) for path in shards))
    queries = [query for query in predicted if query.text]
    if not queries:
        raise BudgetError(f"{sampled}: {model.name} predicted no query from any of {len(passages)} passages")
    log.info("%d queries from %d passages", len(queries), len(passages))
    stated = settings.model_dump(mode="json", exclude={"filters", "count"})
    empty = len(predicted) - len(queries)
    write_jsonl(raw, queries[: settings.count])
    write_json(sampling, {**stated, "weights": weights, "passages": len(passages), "empty": empty})


def _weights(model: Path) -> object:
    """Return the hashes of a model's weights, by which its queries can be told from those of another."""
    source = model / "source.json"
    if not source.is_file():
        raise ModelError(f"{source}: is absent; expected the folder that unpack_model writes")
    return json.loads(source.read_text(encoding="utf-8"))["weights"]
