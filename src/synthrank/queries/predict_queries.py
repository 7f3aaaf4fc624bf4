"""Step predict_queries: queries that a sequence-to-sequence model predicts from a shard of the sampled passages."""

from collections.abc import Iterator
from pathlib import Path

from synthrank.files import write_jsonl
from synthrank.progress import progress
from synthrank.queries.predictor import Predictor
from synthrank.queries.sources import shard_of
from synthrank.records import Query
from synthrank.specs.augmentations import AugmentationSpec, Doc2QueryQueries
from synthrank.specs.base import load


def predict_queries(*, spec: Path, model: Path, sampled: Path, shard: str, queries: Path) -> None:
    """Sample ``per_passage`` queries from each passage of a shard.

    Random numbers are a passage's own, so that its queries do not depend on the shard: in float32 they are the same
    text. Logits in a 16-bit type move with the other passages of a batch, and shards make other batches: there some
    queries may be others than in the whole.

    Args:
        spec: the augmentation's entity file, of kind doc2query.
        model: the folder of the model.
        sampled: the passages to predict from.
        shard: which shard of them, such as 2-of-4.
        queries: written: what was predicted, empty texts too, passages in their order; ``source`` is the passage.

    Raises:
        ConfigError: the name is that of no shard.
        ModelError: the folder holds no sequence-to-sequence model.
    """
    settings: Doc2QueryQueries = load(AugmentationSpec, spec)
    chosen = shard_of(sampled, shard)
    # An empty shard needs no model.
    predicted = Predictor(settings, model).predict(chosen) if chosen else iter(())
    texts_of = {passage.id: texts for passage, texts in progress(predicted, len(chosen), "passages")}
    write_jsonl(queries, (item for passage in chosen for item in _queries(spec.stem, passage.id, texts_of[passage.id])))


def _queries(augmentation: str, passage: str, texts: list[str]) -> Iterator[Query]:
    """Yield the queries of a passage, numbered from 1."""
    return (Query(f"{augmentation}:{passage}:{number}", text, passage) for number, text in enumerate(texts, 1))
