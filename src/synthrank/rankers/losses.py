"""Losses over the list of a query's passages, as functions of scores, for all architectures.

Each loss takes scores and labels of shape (lists, longest list) and a mask of the same shape, false at padding. It
returns the mean over the lists, so one step of n lists equals n accumulated steps of one list. Values at padding,
including NaN, have no effect. Losses are computed in the precision of the scores, which allows checks in float64.

The losses of sentence-transformers need a model and texts, work only on cross-encoders, and differ in the details that
each docstring names. Only the long LambdaLoss is the library's, called with precomputed scores.
"""

from collections.abc import Callable
from functools import wraps

import torch
from sentence_transformers.cross_encoder import losses as library
from torch import Tensor, nn

from synthrank.config.rankers import Weighing

ListFunction = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From scores, labels and mask, each (lists, longest list), to a scalar."""


def _mask_padding(function: ListFunction) -> ListFunction:
    """Set scores and labels to 0 at padding; a NaN there would otherwise reach the gradient as 0 x NaN."""

    @wraps(function)
    def masked(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        return function(torch.where(mask, scores, 0), torch.where(mask, labels, 0), mask)

    return masked


@_mask_padding
def ranknet(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over pairs of log(1 + exp(s_j - s_i)), where i has the higher label (Burges et al. 2005).

    The library's RankNetLoss uses the logarithm to base 2 and the mean over the pairs of all lists, which gives long
    lists more weight.
    """
    return _pair_mean(nn.functional.softplus(scores[:, None, :] - scores[:, :, None]), _above(labels, mask))


@_mask_padding
def listnet(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the cross-entropy of the softmax of scores and the softmax of labels (Cao et al. 2007, top-one).

    The library's ListNetLoss is the same function, in float32 and only for cross-encoders.
    """
    target = _fill_masked(labels, mask).softmax(dim=1)
    return -(target * _log_softmax(scores, mask)).sum(dim=1).mean()


@_mask_padding
def kl_divergence(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return KL(softmax of labels || softmax of scores), where labels are a teacher's scores (Wang et al. 2022, E5).

    The loss is :func:`listnet` minus the entropy of the teacher's softmax, so both have the same gradient. The
    library's DistillKLDivLoss needs lists of equal length.
    """
    student, teacher = _log_softmax(scores, mask), _log_softmax(labels, mask)
    return nn.functional.kl_div(student, teacher, reduction="none", log_target=True).sum(dim=1).mean()


@_mask_padding
def lce(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the cross-entropy of the passage with the highest label against the list (Gao, Dai and Callan 2021).

    If several passages have the highest label, each is compared with the passages of lower labels, and the loss is the
    mean. The library's MultipleNegativesRankingLoss needs lists of equal length.
    """
    top = mask & (labels == _fill_masked(labels, mask).amax(dim=1, keepdim=True))
    below = torch.logsumexp(_fill_masked(scores, mask & ~top), dim=1, keepdim=True)
    each = torch.where(top, nn.functional.softplus(below - scores), 0)
    return (each.sum(dim=1) / top.sum(dim=1).clamp(min=1)).mean()


@_mask_padding
def softmax_cross_entropy(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return -sum of y_i log softmax(s)_i with unchanged labels y (Zhuang et al. 2023, RankT5).

    TWOLAR's published ``softmax_ce_loss`` is :func:`lce`, because its only target is the first passage. The library has
    no such loss.
    """
    return -(labels * _log_softmax(scores, mask)).sum(dim=1).mean()


@_mask_padding
def margin_mse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared error of the margins between the passage with the highest label and each lower passage.

    Hofstätter et al. 2020, over lists; the labels are the teacher's scores. If several passages have the highest label,
    the mean is over the margins of all of them. The library's MarginMSELoss needs lists of equal length.
    """
    highest = _fill_masked(labels, mask).amax(dim=1, keepdim=True)
    error = scores[:, :, None] - scores[:, None, :] - (labels[:, :, None] - labels[:, None, :])
    return _pair_mean(error.square(), _above(labels, mask) & (labels == highest)[:, :, None])


@_mask_padding
def rmse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over lists of the root mean squared error; the library's MSELoss has no root."""
    # If scores equal labels, the norm has the gradient 0, but a square root has no gradient.
    norm = torch.linalg.vector_norm(scores - labels, dim=1)
    return (norm / mask.sum(dim=1).clamp(min=1).to(norm.dtype).sqrt()).mean()


@_mask_padding
def mse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over lists of the mean squared error of the scores (InRanker, Laitz et al. 2024; Ettin).

    The library's MSELoss is the mean over single pairs; the values are the same if lists have equal length.
    """
    return ((scores - labels).square().sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()


@_mask_padding
def adr_mse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over lists of the mean of (r_i - r'_i)^2 / log2(1 + r_i) (Schlatt et al. 2025, ADR-MSE).

    r_i is the rank of passage i by its label, where equal labels share their mean rank; r'_i is its approximate rank by
    score, 1 plus the sum of sigmoid(s_j - s_i) over the other passages. The library's ADRMSELoss is the mean over the
    passages of all lists, which gives long lists more weight.
    """
    others = (mask[:, None, :] & ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)).to(scores.dtype)
    equal = ((labels[:, :, None] == labels[:, None, :]) * others).sum(dim=2)
    rank = 1 + _above(labels, mask).transpose(1, 2).sum(dim=2) + equal / 2
    approximate = 1 + (torch.sigmoid(scores[:, None, :] - scores[:, :, None]) * others).sum(dim=2)
    each = (rank - approximate).square() / torch.log2(1 + rank)
    return (torch.where(mask, each, 0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()


@_mask_padding
def binary_cross_entropy(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over lists of the mean of -y_i log sigmoid(s_i) - (1 - y_i) log(1 - sigmoid(s_i)).

    Labels are from 0 to 1. This is TWOLAR's published ``pointwise_bce``. The library's BinaryCrossEntropyLoss takes
    single pairs, so an update would see a few pairs instead of whole lists.
    """
    each = nn.functional.binary_cross_entropy_with_logits(scores, labels, reduction="none")
    count = mask.sum(dim=1).clamp(min=1)
    return (torch.where(mask, each, 0).sum(dim=1) / count).mean()


WEIGHINGS: dict[Weighing, type[library.LambdaLoss]] = {
    "none": library.NoWeightingScheme,
    "ndcg1": library.NDCGLoss1Scheme,
    "ndcg2": library.NDCGLoss2Scheme,
    "lambdarank": library.LambdaRankScheme,
    "ndcg2++": library.NDCGLoss2PPScheme,
}
"""Pair weights of LambdaLoss."""


def lambda_loss(weighing: Weighing) -> ListFunction:
    """Return the library's LambdaLoss (Wang et al. 2018): base 2, and the mean over the pairs of all lists.

    With the weighing ``none`` and one list per step it is the function of this name in TWOLAR's code.
    """
    given = _Precomputed()
    loss = library.LambdaLoss(given, weighting_scheme=WEIGHINGS[weighing](), mini_batch_size=-1)

    def function(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        given.scores, given.device = scores[mask], scores.device
        # The library passes pairs of these empty texts to its model, which returns the precomputed scores.
        lists = [[""] * count for count in mask.sum(dim=1).tolist()]
        value: Tensor = loss([[""] * len(lists), lists], [row[kept] for row, kept in zip(labels, mask, strict=True)])
        return value

    return function


LIST_LOSSES: dict[str, ListFunction] = {
    "ranknet": ranknet,
    "listnet": listnet,
    "kl-divergence": kl_divergence,
    "lce": lce,
    "softmax-cross-entropy": softmax_cross_entropy,
    "margin-mse": margin_mse,
    "rmse": rmse,
    "mse": mse,
    "adr-mse": adr_mse,
    "binary-cross-entropy": binary_cross_entropy,
}
"""Losses by their names in rankers' files, without ``lambda``, which needs a weighing."""


def list_function(loss: str, weighing: Weighing) -> ListFunction:
    """Return the loss with a name of rankers' files."""
    return lambda_loss(weighing) if loss == "lambda" else LIST_LOSSES[loss]


def pad_lists(scores: Tensor, labels: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return padded scores and labels and their mask, each of shape (lists, longest list).

    Args:
        scores: the scores of all lists, concatenated.
        labels: the labels of each list.
    """
    lengths = torch.tensor([len(row) for row in labels], device=scores.device)
    mask = torch.arange(int(lengths.max()), device=scores.device) < lengths[:, None]
    precision = torch.promote_types(scores.dtype, torch.float32)
    values = torch.cat(labels).to(scores.device, precision)
    filled = scores.new_zeros((2, *mask.shape), dtype=precision)
    return filled[0].masked_scatter(mask, scores.to(precision)), filled[1].masked_scatter(mask, values), mask


class _Precomputed:
    """A cross-encoder for the library's losses that returns precomputed scores."""

    num_labels = 1
    scores: Tensor
    device: torch.device

    def preprocess(self, *_: object, **__: object) -> dict[str, Tensor]:
        return {}

    def __call__(self, _: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": self.scores}


def _fill_masked(values: Tensor, mask: Tensor) -> Tensor:
    """Set values where the mask is false to the lowest number, so that they do not affect softmax or maximum."""
    return torch.where(mask, values, torch.finfo(values.dtype).min)


def _log_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the logarithm of the softmax over each list, and 0 at padding."""
    return torch.where(mask, _fill_masked(scores, mask).log_softmax(dim=1), 0)


def _above(labels: Tensor, mask: Tensor) -> Tensor:
    """Return a mask of shape (lists, i, j) of the pairs in which passage i has a higher label than passage j."""
    values = torch.where(mask, labels, torch.nan)  # comparisons with NaN are false
    return values[:, :, None] > values[:, None, :]


def _pair_mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean over lists of the mean over their chosen pairs; a list without pairs counts as 0.

    Other pairs are multiplied by 0 and must be finite. Indexing takes twice as long on a CPU.
    """
    weights = chosen.to(values.dtype)
    return ((values * weights).sum(dim=(1, 2)) / weights.sum(dim=(1, 2)).clamp(min=1)).mean()
