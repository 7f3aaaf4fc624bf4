"""The losses of :mod:`synthrank.rankers.losses` with the interface of sentence-transformers trainers."""

from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator
from sentence_transformers.util import batch_to_device
from torch import Tensor, nn

from synthrank.config.rankers import BiEncoderRanker
from synthrank.rankers.batching import LENGTHS, BatchLimits, encode_in_runs
from synthrank.rankers.cross_encoder import PairModel
from synthrank.rankers.losses import ListFunction, pad_lists


class ListwiseLoss(nn.Module):  # type: ignore[misc]  # torch is not followed
    """A list loss over the scores of a cross-encoder."""

    def __init__(self, model: PairModel, function: ListFunction) -> None:
        super().__init__()
        self.model, self.function = model, function

    def forward(
        self, inputs: Sequence[Any], labels: list[Tensor], prompt: str | None = None, task: str | None = None
    ) -> Tensor:
        """Return the loss of a batch of groups.

        Args:
            inputs: the queries, and the passages per query.
            labels: the labels of each query's passages.
            prompt: a prefix of every query, as in the library.
            task: as in the library.
        """
        queries, lists = inputs
        pairs = [(query, passage) for query, passages in zip(queries, lists, strict=True) for passage in passages]
        features = batch_to_device(self.model.preprocess(pairs, prompt=prompt, task=task), self.model.device)
        return self.function(*pad_lists(self.model(features)["scores"].view(-1), labels))


class SimilarityListLoss(nn.Module):  # type: ignore[misc]  # torch is not followed
    """A list loss over the similarities of a bi-encoder: cosine of query and passage, divided by a temperature."""

    def __init__(
        self, model: SentenceTransformer, function: ListFunction, temperature: float, limit: BatchLimits
    ) -> None:
        """Initialise the loss.

        Args:
            model: the bi-encoder.
            function: the loss over scores.
            temperature: divisor of the similarities.
            limit: size of a forward pass over passages.
        """
        super().__init__()
        self.model, self.function, self.temperature, self.limit = model, function, temperature, limit

    def forward(self, features: list[dict[str, Any]], labels: list[Tensor]) -> Tensor:
        """Return the loss of a batch of groups.

        Args:
            features: the tokens of the queries, and the tokens of all their passages, concatenated.
            labels: the labels of each query's passages.
        """
        queries, passages = (self._vectors(item) for item in features)
        counts = torch.tensor([len(row) for row in labels], device=queries.device)
        similarities = (queries.repeat_interleave(counts, dim=0) * passages).sum(dim=1)
        return self.function(*pad_lists(similarities.float() / self.temperature, labels))

    def _vectors(self, features: dict[str, Any]) -> Tensor:
        return nn.functional.normalize(encode_in_runs(self.model, features, "sentence_embedding", self.limit), dim=1)


class ListCollator(SentenceTransformerDataCollator):  # type: ignore[misc]  # the library is untyped
    """Tokenise rows of a query and a list of passages, with prefixes.

    The library's collator has one column per passage, which would need lists of equal length.
    """

    def __init__(self, model: SentenceTransformer, spec: BiEncoderRanker) -> None:
        super().__init__(preprocess_fn=model.preprocess)
        self._prefixes = spec.query_prefix, spec.passage_prefix

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the labels, and the tokens of queries and passages with the column's name in each key."""
        query, passage = self._prefixes
        columns = {
            "query": [query + row["query"] for row in features],
            "passages": [passage + text for row in features for text in row["passages"]],
        }
        batch: dict[str, Any] = {"label": [torch.tensor(row["labels"]) for row in features]}
        for column, texts in columns.items():
            tokens = self.preprocess_fn(texts)
            batch |= {f"{column}_{key}": value for key, value in tokens.items()}
            batch[f"{column}_{LENGTHS}"] = tokens["attention_mask"].sum(dim=1).tolist()
        return batch
