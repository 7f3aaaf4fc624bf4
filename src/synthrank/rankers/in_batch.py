"""The library's losses over the passages of a batch, without those that are relevant to another row's query.

Known positives are masked, where GISTEmbed (Solatorio 2024) masks what a guide model scores above the positive. The
column ``label`` of the data holds the number of each row, which tells a loss the rows of its batch.
"""

from collections.abc import Iterator
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.cross_encoder import losses as pair_losses
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.util import all_gather, cos_sim, get_rank
from torch import Tensor, distributed, nn

from synthrank.rankers.pair_model import PairModel
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.trainers import FilledBatches
from synthrank.texts import chunks


class ApartBatches(FilledBatches):
    """Batches that keep rows apart as :meth:`Relevance.deal` does; those of several processes are all full."""

    def __init__(self, dataset: Any, *, relevance: Relevance, processes: int, **given: Any) -> None:
        """Take what is relevant to the rows, how many processes share them, and what the library hands to a sampler."""
        super().__init__(dataset, processes=processes, **given)
        self.drop_last = processes > 1
        self._relevance = relevance

    def __iter__(self) -> Iterator[list[int]]:
        """Yield rows: of the first process, of the second, …, of the first again."""
        rows = list(self.sampler)
        whole = self.batch_size * self.processes
        for batch in self._relevance.deal(rows, whole, fill=self.processes > 1):
            yield from chunks(batch, self.batch_size)


class MaskedCosine:
    """Cosines, minus infinity where the mask is true.

    The cached loss asks for some rows of a batch at a time, in their order; so what was asked for is taken off the
    mask.
    """

    mask: Tensor

    def __call__(self, queries: Tensor, passages: Tensor) -> Tensor:
        """Return cosines of shape (queries, passages)."""
        own, self.mask = self.mask[: len(queries)], self.mask[len(queries) :]
        return cos_sim(queries, passages).masked_fill(own, -torch.inf)


class _Masked:
    """Put before a loss of the library over the vectors of a batch: gives its cosines the mask of the batch."""

    gather_across_devices: bool

    def __init__(self, model: SentenceTransformer, relevance: Relevance, **options: Any) -> None:
        self._relevance, self._cosine = relevance, MaskedCosine()
        super().__init__(model, similarity_fct=self._cosine, **options)  # type: ignore[call-arg]  # the library's class

    def forward(self, sentence_features: Any, labels: Tensor) -> Tensor:
        """Return the loss of a batch, whose rows have the numbers ``labels``."""
        gathers = self.gather_across_devices and distributed.is_initialized()
        rows = all_gather(labels) if gathers else labels
        first = get_rank() * len(labels) if gathers else 0
        mask = self._relevance.mask(rows.tolist(), first, len(labels))
        self._cosine.mask = torch.from_numpy(mask).to(labels.device)
        loss: Tensor = super().forward(sentence_features, labels)  # type: ignore[misc]  # of the library's class
        return loss


class _InOnePass(losses.MultipleNegativesRankingLoss):  # type: ignore[misc]  # the library is untyped
    """The library's loss, with the columns of a static model's batch embedded together.

    Every pass through a token table gives a gradient of the table's own size; the library makes one pass a column.
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
    """Van den Oord et al. 2018, masked."""


class CachedMaskedNegatives(_Masked, losses.CachedMultipleNegativesRankingLoss):  # type: ignore[misc]
    """The same by gradient cache (Gao et al. 2021), masked."""


class _MaskedActivation(nn.Module):  # type: ignore[misc]  # torch is not followed
    """The activation of a cross-encoder's loss, minus infinity where the mask is true."""

    mask: Tensor

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, logits: Tensor) -> Tensor:
        return self.activation(logits).masked_fill(self.mask, -torch.inf)


class MaskedPairNegatives(pair_losses.MultipleNegativesRankingLoss):  # type: ignore[misc]  # the library is untyped
    """A cross-encoder's loss over all passages of a batch, masked. On several GPUs each sees its own share alone."""

    def __init__(self, model: PairModel, relevance: Relevance) -> None:
        super().__init__(model, num_negatives=None)
        self.activation_fn: Any = _MaskedActivation(self.activation_fn)
        self._relevance = relevance

    def forward(self, inputs: Any, labels: Tensor, prompt: str | None = None, task: str | None = None) -> Tensor:
        """Return the loss of a batch, whose rows have the numbers ``labels``."""
        count, columns = len(labels), len(inputs) - 1
        mask = torch.from_numpy(self._relevance.mask(labels.tolist(), 0, count))
        # The library puts the positive first, then the other rows' passages, column by column, then the own negatives.
        others = mask[~torch.eye(count, dtype=torch.bool).repeat(1, columns)].reshape(count, -1)
        own = mask.new_zeros(count, 1), mask.new_zeros(count, columns - 1)
        self.activation_fn.mask = torch.cat([own[0], others, own[1]], dim=1).to(labels.device)
        loss: Tensor = super().forward(inputs, labels, prompt=prompt, task=task)
        return loss


def all_rows_masked(relevance: Relevance, device: str) -> int:
    """Return the rows of all processes, over all updates, of which an in-batch negative was masked."""
    count = torch.tensor(relevance.rows_masked, device=device)
    if distributed.is_initialized():
        distributed.all_reduce(count)
    return int(count)
