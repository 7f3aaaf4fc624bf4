"""The library's losses over the passages of a batch, with false negatives masked.

A passage of another row is masked if it is a known positive of the row's query. GISTEmbed (Solatorio 2024) masks
passages that a guide model scores above the positive. The column ``label`` contains row numbers, from which a loss
looks up the relevant passages of its batch.
"""

from collections.abc import Iterator
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.cross_encoder import losses as pair_losses
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.util import all_gather, cos_sim, get_rank
from torch import Tensor, distributed, nn

from synthrank.data.passage_texts import split_into_batches
from synthrank.rankers.cross_encoder import PairModel
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.trainers import FilledBatches


class ApartBatches(FilledBatches):
    """Batches by :meth:`Relevance.deal`, which separates rows with common positives; all full on several processes."""

    def __init__(self, dataset: Any, *, relevance: Relevance, processes: int, **given: Any) -> None:
        """Initialise the sampler.

        Args:
            dataset: the rows.
            relevance: the relevant passages of the rows.
            processes: number of processes that share the rows.
            given: other arguments that the library passes to a batch sampler.
        """
        super().__init__(dataset, processes=processes, **given)
        self.drop_last = processes > 1
        self._relevance = relevance

    def __iter__(self) -> Iterator[list[int]]:
        """Yield rows: of the first process, of the second, …, of the first again."""
        rows = list(self.sampler)
        whole = self.batch_size * self.processes
        for batch in self._relevance.deal(rows, whole, fill=self.processes > 1):
            yield from split_into_batches(batch, self.batch_size)


class MaskedCosine:
    """Cosines that are minus infinity where the mask is true.

    The cached loss computes a few rows per call, in order. Each call removes its rows from the mask.
    """

    mask: Tensor

    def __call__(self, queries: Tensor, passages: Tensor) -> Tensor:
        """Return cosines of shape (queries, passages)."""
        own, self.mask = self.mask[: len(queries)], self.mask[len(queries) :]
        return cos_sim(queries, passages).masked_fill(own, -torch.inf)


class _Masked:
    """Mixin for a loss of the library over the vectors of a batch: masks its cosines."""

    gather_across_devices: bool

    def __init__(self, model: SentenceTransformer, relevance: Relevance, **options: Any) -> None:
        self._relevance, self._cosine = relevance, MaskedCosine()
        super().__init__(model, similarity_fct=self._cosine, **options)  # type: ignore[call-arg]  # the library's class

    def forward(self, sentence_features: Any, labels: Tensor) -> Tensor:
        """Return the loss of a batch; ``labels`` are the row numbers."""
        gathers = self.gather_across_devices and distributed.is_initialized()
        rows = all_gather(labels) if gathers else labels
        first = get_rank() * len(labels) if gathers else 0
        mask = self._relevance.mask(rows.tolist(), first, len(labels))
        self._cosine.mask = torch.from_numpy(mask).to(labels.device)
        loss: Tensor = super().forward(sentence_features, labels)  # type: ignore[misc]  # the library's class
        return loss


class _InOnePass(losses.MultipleNegativesRankingLoss):  # type: ignore[misc]  # the library is untyped
    """The library's loss with one forward pass for all columns of a static model's batch.

    Each pass through an embedding table makes a gradient as large as the table; the library makes one pass per column.
    """

    def forward(self, sentence_features: Any, labels: Tensor) -> Tensor:
        """Return the loss of a batch."""
        columns = list(sentence_features)
        if not all("offsets" in features for features in columns):
            loss: Tensor = super().forward(columns, labels)
            return loss
        lengths = torch.tensor([0, *(len(features["input_ids"]) for features in columns)]).cumsum(0).tolist()
        starts = [features["offsets"] + before for features, before in zip(columns, lengths, strict=False)]
        ids = torch.cat([features["input_ids"] for features in columns])
        vectors = self.model({"input_ids": ids, "offsets": torch.cat(starts)})["sentence_embedding"]
        of_columns = vectors.split([len(features["offsets"]) for features in columns])
        found: Tensor = self.compute_loss_from_embeddings(list(of_columns), labels)
        return found


class MaskedNegatives(_Masked, _InOnePass):
    """InfoNCE over the passages of a batch (van den Oord et al. 2018), masked."""


class CachedMaskedNegatives(_Masked, losses.CachedMultipleNegativesRankingLoss):  # type: ignore[misc]
    """InfoNCE with a gradient cache (Gao et al. 2021), masked."""


class _MaskedActivation(nn.Module):  # type: ignore[misc]  # torch is not followed
    """The activation of a cross-encoder's loss; minus infinity where the mask is true."""

    mask: Tensor

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, logits: Tensor) -> Tensor:
        return self.activation(logits).masked_fill(self.mask, -torch.inf)


class MaskedPairNegatives(pair_losses.MultipleNegativesRankingLoss):  # type: ignore[misc]  # the library is untyped
    """A cross-encoder's loss over all passages of a batch, masked; on several GPUs over the passages of one GPU."""

    def __init__(self, model: PairModel, relevance: Relevance) -> None:
        super().__init__(model, num_negatives=None)
        self.activation_fn: Any = _MaskedActivation(self.activation_fn)
        self._relevance = relevance

    def forward(self, inputs: Any, labels: Tensor, prompt: str | None = None, task: str | None = None) -> Tensor:
        """Return the loss of a batch; ``labels`` are the row numbers."""
        count, columns = len(labels), len(inputs) - 1
        mask = torch.from_numpy(self._relevance.mask(labels.tolist(), 0, count))
        # The library's order: the positive, the other rows' passages column by column, the row's negatives.
        others = mask[~torch.eye(count, dtype=torch.bool).repeat(1, columns)].reshape(count, -1)
        own = mask.new_zeros(count, 1), mask.new_zeros(count, columns - 1)
        self.activation_fn.mask = torch.cat([own[0], others, own[1]], dim=1).to(labels.device)
        loss: Tensor = super().forward(inputs, labels, prompt=prompt, task=task)
        return loss


def all_rows_masked(relevance: Relevance, device: str) -> int:
    """Count the rows with a masked in-batch negative, over all processes and updates."""
    count = torch.tensor(relevance.rows_masked, device=device)
    if distributed.is_initialized():
        distributed.all_reduce(count)
    return int(count)
