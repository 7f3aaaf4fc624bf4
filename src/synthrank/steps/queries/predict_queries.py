"""Step predict_queries: predict queries from a shard of the sampled passages with a sequence-to-sequence model."""

from collections.abc import Iterator
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, Doc2QueryQueries
from synthrank.config.base import load
from synthrank.data.files import write_jsonl
from synthrank.data.records import Query
from synthrank.runtime.progress import progress
from synthrank.steps.queries.predictor import Predictor
from synthrank.steps.queries.sources import read_shard


def predict_queries(*, spec: Path, model: Path, sampled: Path, shard: str, queries: Path) -> None:
    """Sample ``per_passage`` queries from each passage of a shard.

    Each passage has separate random numbers, so in float32 its queries do not depend on the sharding. In a 16-bit type
    they may, because the logits depend on the other passages of a batch and shards form other batches.

    Args:
        spec: the augmentation's entity file, of kind doc2query.
        model: the folder of the model.
        sampled: the sampled passages.
        shard: the name of the shard, such as 2-of-4.
        queries: written: the predicted queries, including empty ones, in the order of the passages; ``source`` is the
            passage of a query.

    Raises:
        ConfigError: the shard name is invalid.
        ModelError: the folder has no sequence-to-sequence model.
    """
    settings: Doc2QueryQueries = load(AugmentationSpec, spec)
    chosen = read_shard(sampled, shard)
    # An empty shard needs no model.
    predicted = Predictor(settings, model).predict(chosen) if chosen else iter(())
    texts_of = {passage.id: texts for passage, texts in progress(predicted, len(chosen), "passages")}
    write_jsonl(
        queries, (item for passage in chosen for item in _predict_queries(spec.stem, passage.id, texts_of[passage.id]))
    )


def _predict_queries(augmentation: str, passage: str, texts: list[str]) -> Iterator[Query]:
    """Yield the queries of a passage, numbered from 1."""
    return (Query(f"{augmentation}:{passage}:{number}", text, passage) for number, text in enumerate(texts, 1))
