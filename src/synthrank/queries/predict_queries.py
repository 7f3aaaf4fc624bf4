"""Step predict_queries: queries that a sequence-to-sequence model predicts from passages."""

import json
import logging
from math import ceil
from pathlib import Path

from synthrank.errors import BudgetError, ModelError
from synthrank.files import write_json, write_jsonl
from synthrank.progress import Progress
from synthrank.queries.predictor import Predictor
from synthrank.queries.sources import sampled
from synthrank.records import Passage, Query
from synthrank.specs.augmentations import AugmentationSpec, Doc2QueryQueries
from synthrank.specs.base import load

log = logging.getLogger(__name__)


def predict_queries(
    *, spec: Path, model: Path, passages: Path, held_out: list[Path], raw: Path, sampling: Path
) -> None:
    """Sample queries from a seeded sample of the passages, none of which answers a query of a held-out split.

    Args:
        spec: the augmentation's entity file, of kind doc2query.
        model: the folder of the model.
        passages: the passages of the corpus.
        held_out: judgments of the splits that training must not see.
        raw: written: the queries, passages in the seeded order; ``source`` is the passage each was made from.
        sampling: written: the model, its weights and all that determined its choices.

    Raises:
        ModelError: the folder holds no sequence-to-sequence model that ``unpack_model`` wrote.
        BudgetError: no passage gave a query.
    """
    settings: Doc2QueryQueries = load(AugmentationSpec, spec)
    weights = _weights(model)
    chosen = sampled(passages, held_out, ceil(settings.count / settings.per_passage), settings.seed)
    written: dict[str, list[str]] = {}
    with Progress(len(chosen), "passages") as state:
        for passage, texts in Predictor(settings, model).predict(chosen):
            written[passage.id] = texts
            state.advance()
    queries = [query for passage in chosen for query in _queries(spec.stem, passage, written[passage.id])]
    if not queries:
        raise BudgetError(f"{passages}: {model.name} predicted no query from any of {len(chosen)} passages")
    log.info("%d queries from %d passages", len(queries), len(chosen))
    stated = settings.model_dump(mode="json", exclude={"filters", "count"})
    write_jsonl(raw, queries[: settings.count])
    write_json(
        sampling,
        {
            **stated,
            "weights": weights,
            "passages": len(chosen),
            "empty": sum(not text for texts in written.values() for text in texts),
        },
    )


def _queries(augmentation: str, passage: Passage, texts: list[str]) -> list[Query]:
    """Return the queries of a passage, numbered from 1; an empty one is left out and takes its number with it."""
    return [
        Query(f"{augmentation}:{passage.id}:{number}", text, passage.id) for number, text in enumerate(texts, 1) if text
    ]


def _weights(model: Path) -> object:
    """Return the hashes of a model's weights, by which its queries can be told from those of another."""
    source = model / "source.json"
    if not source.is_file():
        raise ModelError(f"{source}: is absent; expected the folder that unpack_model writes")
    return json.loads(source.read_text(encoding="utf-8"))["weights"]
