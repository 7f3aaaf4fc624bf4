"""Losses over the list of a query's passages, as functions of scores: one form for every architecture.

Each takes scores and labels of shape (lists, longest list) and a mask of the same shape that is false where a shorter
list was padded, and returns a scalar: the mean over the lists, so that a step of several lists equals as many
accumulated steps of one. What stands where the mask is false never matters, be it NaN. The scores' own precision is
kept, so float64 serves to check.

Written here is what sentence-transformers lacks or defines otherwise. Its losses hold a model and texts and work on
cross-encoders alone; the one that is too long to state again, LambdaLoss, is called with scores that are already there.
"""

from collections.abc import Callable
from functools import wraps

import torch
from sentence_transformers.cross_encoder import losses as library
from torch import Tensor, nn

from synthrank.specs.rankers import Weighing

ListFunction = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From scores, labels and mask, each (lists, longest list), to a scalar."""


def _masked(function: ListFunction) -> ListFunction:
    """Return a loss that sees 0 where a list is padded: a NaN there would come back in the gradient, as 0 x NaN."""

    @wraps(function)
    def masked(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        return function(torch.where(mask, scores, 0), torch.where(mask, labels, 0), mask)

    return masked


@_masked
def ranknet(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over pairs of log(1 + exp(s_j - s_i)), i having the higher label (Burges et al. 2005).

    Own: the library's RankNetLoss takes the logarithm to base 2 and the mean over the pairs of all lists together, so
    a long list would weigh more than a short one.
    """
    return _pair_mean(nn.functional.softplus(scores[:, None, :] - scores[:, :, None]), _above(labels, mask))


@_masked
def listnet(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the cross-entropy of the softmax of scores against that of labels (Cao et al. 2007, top-one).

    Own, although the library's ListNetLoss is the same function: it computes in float32 on a cross-encoder only.
    """
    target = _filled(labels, mask).softmax(dim=1)
    return -(target * _log_softmax(scores, mask)).sum(dim=1).mean()


@_masked
def kl_divergence(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the KL divergence of the softmax of scores from that of labels, a teacher's scores (Wang et al. 2022, E5).

    It is :func:`listnet` less the entropy of the teacher, so that the gradients are equal. Own, around torch's: the
    library's DistillKLDivLoss takes a column for each passage of a row, hence lists of one length.
    """
    student, teacher = _log_softmax(scores, mask), _log_softmax(labels, mask)
    return nn.functional.kl_div(student, teacher, reduction="none", log_target=True).sum(dim=1).mean()


@_masked
def lce(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the cross-entropy of the passage with the highest label against the list (Gao, Dai and Callan 2021).

    Where several share the highest label each is set against those below it, and their mean is taken. Own: the
    library's MultipleNegativesRankingLoss is it for one column a passage, hence for lists of one length.
    """
    top = mask & (labels == _filled(labels, mask).amax(dim=1, keepdim=True))
    below = torch.logsumexp(_filled(scores, mask & ~top), dim=1, keepdim=True)
    each = torch.where(top, nn.functional.softplus(below - scores), 0)
    return (each.sum(dim=1) / top.sum(dim=1).clamp(min=1)).mean()


@_masked
def softmax_cross_entropy(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return -sum of y_i log softmax(s)_i (Zhuang et al. 2023, RankT5), labels as they are.

    TWOLAR's published ``softmax_ce_loss`` is :func:`lce`: its target is the first passage alone. Own: the library has
    none.
    """
    return -(labels * _log_softmax(scores, mask)).sum(dim=1).mean()


@_masked
def margin_mse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared error of the margins of the passage with the highest label over each one below it.

    Hofstätter et al. 2020 over a list, the labels being the teacher's scores; of several with the highest label each
    has its margins. Own: the library's MarginMSELoss is it for lists of one length.
    """
    highest = _filled(labels, mask).amax(dim=1, keepdim=True)
    error = scores[:, :, None] - scores[:, None, :] - (labels[:, :, None] - labels[:, None, :])
    return _pair_mean(error.square(), _above(labels, mask) & (labels == highest)[:, :, None])


@_masked
def rmse(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over lists of the root of the mean squared error. Own: the library's MSELoss takes no root."""
    # The norm has gradient 0 where scores equal labels; a square root would have none.
    norm = torch.linalg.vector_norm(scores - labels, dim=1)
    return (norm / mask.sum(dim=1).clamp(min=1).to(norm.dtype).sqrt()).mean()


@_masked
def binary_cross_entropy(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over lists of the mean of -y_i log sigmoid(s_i) - (1 - y_i) log(1 - sigmoid(s_i)).

    TWOLAR's published ``pointwise_bce``, labels up to 1. Own: the library's BinaryCrossEntropyLoss takes single pairs,
    so that a list would be as many steps, and an update would see a few pairs in place of whole lists.
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
"""How LambdaLoss weighs pairs."""


def lambda_loss(weighing: Weighing) -> ListFunction:
    """Return LambdaLoss (Wang et al. 2018) as the library has it: base 2, the mean over the pairs of all lists.

    With the weighing ``none`` and one list a step it is the function that TWOLAR's code publishes under this name.
    """
    given = _Given()
    loss = library.LambdaLoss(given, weighting_scheme=WEIGHINGS[weighing](), mini_batch_size=-1)

    def function(scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        given.scores, given.device = scores[mask], scores.device
        # The library makes pairs of these texts and gives them to its model, which has their scores already.
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
    "binary-cross-entropy": binary_cross_entropy,
}
"""By the names of the entity files, but for ``lambda``, which has a weighing."""


def list_function(loss: str, weighing: Weighing) -> ListFunction:
    """Return the function of a loss that a ranker's file names."""
    return lambda_loss(weighing) if loss == "lambda" else LIST_LOSSES[loss]


def padded(scores: Tensor, labels: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores, labels and mask, each (lists, longest list).

    Args:
        scores: of all lists' passages one after another.
        labels: of each list.
    """
    lengths = torch.tensor([len(row) for row in labels], device=scores.device)
    mask = torch.arange(int(lengths.max()), device=scores.device) < lengths[:, None]
    precision = torch.promote_types(scores.dtype, torch.float32)
    values = torch.cat(labels).to(scores.device, precision)
    filled = scores.new_zeros((2, *mask.shape), dtype=precision)
    return filled[0].masked_scatter(mask, scores.to(precision)), filled[1].masked_scatter(mask, values), mask


class _Given:
    """A cross-encoder to the library's losses; its scores are there before it is asked."""

    num_labels = 1
    scores: Tensor
    device: torch.device

    def preprocess(self, *_: object, **__: object) -> dict[str, Tensor]:
        return {}

    def __call__(self, _: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": self.scores}


def _filled(values: Tensor, mask: Tensor) -> Tensor:
    """Return the values with what the mask excludes set so low that no exponential or maximum sees it."""
    return torch.where(mask, values, torch.finfo(values.dtype).min)


def _log_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the logarithm of the softmax over each list, 0 where it is padded."""
    return torch.where(mask, _filled(scores, mask).log_softmax(dim=1), 0)


def _above(labels: Tensor, mask: Tensor) -> Tensor:
    """Return which pairs (lists, i, j) are of two passages of the list, i with the higher label."""
    known = torch.where(mask, labels, torch.nan)  # which is neither above nor below anything
    return known[:, :, None] > known[:, None, :]


def _pair_mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean over lists of the mean over their chosen pairs; a list without any counts as 0.

    The values of other pairs are finite. They are multiplied away: choosing them takes twice as long on a CPU.
    """
    weights = chosen.to(values.dtype)
    return ((values * weights).sum(dim=(1, 2)) / weights.sum(dim=(1, 2)).clamp(min=1)).mean()
