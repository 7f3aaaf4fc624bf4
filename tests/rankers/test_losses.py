"""Compare losses with their equations in plain numbers, and with the library's losses."""

import math
import random
from types import SimpleNamespace

import pytest
import torch
from sentence_transformers.cross_encoder import losses as library

from synthrank.config.rankers import BiEncoderRanker, CrossEncoderRanker, Seq2SeqRanker
from synthrank.rankers.losses import LIST_LOSSES, WEIGHINGS, lambda_loss, list_function, pad_lists


def naive_ranknet(scores, labels):
    pairs = [(i, j) for i in range(len(scores)) for j in range(len(scores)) if labels[i] > labels[j]]
    return sum(math.log(1 + math.exp(scores[j] - scores[i])) for i, j in pairs) / max(1, len(pairs))


def softmaxed(values):
    return [math.exp(value) / sum(math.exp(other) for other in values) for value in values]


def naive_listnet(scores, labels):
    return -sum(p * math.log(q) for p, q in zip(softmaxed(labels), softmaxed(scores), strict=True))


def naive_kl_divergence(scores, labels):
    return sum(p * math.log(p / q) for p, q in zip(softmaxed(labels), softmaxed(scores), strict=True))


def naive_lce(scores, labels):
    tops = [i for i in range(len(scores)) if labels[i] == max(labels)]
    below = [scores[j] for j in range(len(scores)) if labels[j] < max(labels)]
    return sum(-math.log(softmaxed([scores[i], *below])[0]) for i in tops) / len(tops)


def naive_softmax_cross_entropy(scores, labels):
    return -sum(y * math.log(q) for y, q in zip(labels, softmaxed(scores), strict=True))


def naive_margin_mse(scores, labels):
    pairs = [(i, j) for i in range(len(scores)) for j in range(len(scores)) if labels[i] == max(labels) > labels[j]]
    errors = [((scores[i] - scores[j]) - (labels[i] - labels[j])) ** 2 for i, j in pairs]
    return sum(errors) / max(1, len(errors))


def naive_rmse(scores, labels):
    return math.sqrt(sum((s - y) ** 2 for s, y in zip(scores, labels, strict=True)) / len(scores))


def naive_mse(scores, labels):
    return sum((s - y) ** 2 for s, y in zip(scores, labels, strict=True)) / len(scores)


def naive_adr_mse(scores, labels):
    """Equation 3 of Rank-DistiLLM; equal labels share the mean of their ranks."""
    total = 0.0
    for i, (score, label) in enumerate(zip(scores, labels, strict=True)):
        places = [place for place, other in enumerate(sorted(labels, reverse=True), start=1) if other == label]
        rank = sum(places) / len(places)
        approximate = 1 + sum(1 / (1 + math.exp(score - other)) for j, other in enumerate(scores) if j != i)
        total += (rank - approximate) ** 2 / math.log2(1 + rank)
    return total / len(scores)


def naive_binary_cross_entropy(scores, labels):
    probabilities = [1 / (1 + math.exp(-score)) for score in scores]
    each = [y * math.log(p) + (1 - y) * math.log(1 - p) for y, p in zip(labels, probabilities, strict=True)]
    return -sum(each) / len(each)


NAIVE = {
    "ranknet": naive_ranknet, "listnet": naive_listnet, "kl-divergence": naive_kl_divergence, "lce": naive_lce,
    "margin-mse": naive_margin_mse,
    "softmax-cross-entropy": naive_softmax_cross_entropy, "rmse": naive_rmse,
    "mse": naive_mse, "adr-mse": naive_adr_mse,
    "binary-cross-entropy": naive_binary_cross_entropy,
}  # fmt: skip


def lists(seed, lengths):
    """Return random scores and three kinds of labels: 1 / rank, 0 and 1, and a few grades with ties."""
    draw = random.Random(seed)
    made = []
    for place, length in enumerate(lengths):
        grades = ([1 / (rank + 1) for rank in range(length)], [float(rank == 0) for rank in range(length)],
                  [draw.choice([0.0, 1.0, 2.0]) for _ in range(length)])[place % 3]  # fmt: skip
        draw.shuffle(grades)
        made.append(([draw.gauss(0, 3) for _ in range(length)], grades))
    return made


def tensors(made, fill=0.0, dtype=torch.float64):
    width = max(len(scores) for scores, _ in made)
    rows = [torch.tensor([[*row, *[fill] * (width - len(row))] for row in column], dtype=dtype)
            for column in zip(*made, strict=True)]  # fmt: skip
    lengths = torch.tensor([len(scores) for scores, _ in made])
    return rows[0].requires_grad_(), rows[1], torch.arange(width) < lengths[:, None]


def test_list_losses_contain_every_loss_of_the_spec():
    for spec in (CrossEncoderRanker, Seq2SeqRanker, BiEncoderRanker):
        named = set(spec.model_fields["loss"].annotation.__args__)
        others = {"multiple-negatives", "cached-multiple-negatives"}
        assert named - others == {*LIST_LOSSES, "lambda"} == {*NAIVE, "lambda"}
        assert set(spec.model_fields["weighing"].annotation.__args__) == set(WEIGHINGS)


@pytest.mark.parametrize("name", NAIVE)
def test_list_loss_equals_its_equation(name):
    made = lists(1, [2, 3, 5, 8, 30, 100, 4])
    scores, labels, mask = tensors(made)
    value = LIST_LOSSES[name](scores, labels, mask)
    assert value.dtype is torch.float64
    assert value.item() == pytest.approx(sum(NAIVE[name](*item) for item in made) / len(made), rel=1e-12)


@pytest.mark.parametrize("name", NAIVE)
def test_list_loss_gradient_equals_finite_differences(name):
    made = lists(2, [2, 3, 30])
    scores, labels, mask = tensors(made)
    LIST_LOSSES[name](scores, labels, mask).backward()
    step = 1e-5
    for place, (values, grades) in enumerate(made):
        for item in range(len(values)):
            up, down = ([*values[:item], values[item] + sign * step, *values[item + 1 :]] for sign in (1, -1))
            slope = (NAIVE[name](up, grades) - NAIVE[name](down, grades)) / (2 * step) / len(made)
            assert scores.grad[place, item].item() == pytest.approx(slope, abs=1e-8), (place, item)


@pytest.mark.parametrize("length", [2, 3, 10, 30, 100])
def test_ranknet_equals_a_sum_over_pairs(length):
    """Equation 2 of TWOLAR: the mean over pairs i above j of log(1 + exp(s_j - s_i))."""
    (scores, _), labels = lists(length, [length])[0], [1 / (rank + 1) for rank in range(length)]
    gradient, pairs = [0.0] * length, length * (length - 1) / 2
    for i in range(length):
        for j in range(i + 1, length):
            share = 1 / (1 + math.exp(scores[i] - scores[j])) / pairs
            gradient[i] -= share
            gradient[j] += share
    given, graded, mask = tensors([(scores, labels)])
    value = LIST_LOSSES["ranknet"](given, graded, mask)
    value.backward()
    assert value.item() == pytest.approx(naive_ranknet(scores, labels), rel=1e-12)
    assert given.grad[0].tolist() == pytest.approx(gradient, abs=1e-12)


@pytest.mark.parametrize("fill", [0.0, 1e30, -1e30, math.nan, math.inf])
@pytest.mark.parametrize("name", NAIVE)
def test_list_loss_ignores_padding(name, fill):
    made = lists(3, [2, 7, 3])
    scores, labels, mask = tensors(made, fill)
    LIST_LOSSES[name](scores, labels, mask).backward()
    assert torch.equal(scores.grad[~mask], torch.zeros_like(scores.grad[~mask]))
    for place, item in enumerate(made):
        alone, grades, whole = tensors([item])
        LIST_LOSSES[name](alone, grades, whole).backward()
        assert scores.grad[place, : len(item[0])] * 3 == pytest.approx(alone.grad[0], rel=1e-12)


@pytest.mark.parametrize("name", ["ranknet", "lce", "margin-mse"])
def test_ranking_loss_of_a_list_without_a_pair_is_zero(name):
    scores, labels, mask = tensors([([3.0, -1.0, 2.0], [1.0, 1.0, 1.0]), ([5.0], [1.0])])
    value = LIST_LOSSES[name](scores, labels, mask)
    value.backward()
    assert value.item() == 0
    assert not scores.grad.any()


def test_list_loss_gradient_is_finite_for_distant_scores():
    scores, labels, mask = tensors([([500.0, -500.0, 0.0], [0.0, 1.0, 0.5])], dtype=torch.float32)
    for name, function in LIST_LOSSES.items():
        scores.grad = None
        value = function(scores, labels, mask)
        value.backward()
        assert torch.isfinite(value), name
        assert torch.isfinite(scores.grad).all(), name


def test_rmse_gradient_of_perfect_scores_is_zero():
    scores, labels, mask = tensors([([1.0, 0.5], [1.0, 0.5])])
    LIST_LOSSES["rmse"](scores, labels, mask).backward()
    assert not scores.grad.any()


# Comparisons with the library


class Precomputed:
    """A cross-encoder for the library: the score of a pair is the number in its first text."""

    num_labels, device = 1, torch.device("cpu")

    def preprocess(self, pairs, **_):
        return {"scores": torch.stack([second for _, second in pairs]).float()}

    def __call__(self, features):
        return features


def by_library(loss, made):
    rows = [torch.tensor(scores) for scores, _ in made]
    labels = [torch.tensor(grades) for _, grades in made]
    return loss([[""] * len(rows), [list(row) for row in rows]], labels).item()


def test_listnet_equals_the_library():
    made = lists(4, [3, 9, 30])
    expected = by_library(library.ListNetLoss(Precomputed(), mini_batch_size=-1), made)
    assert LIST_LOSSES["listnet"](*tensors(made)).item() == pytest.approx(expected, rel=1e-6)


def test_kl_divergence_is_listnet_minus_the_teacher_entropy():
    """The gradients are equal and the values differ by the entropy, as computed by torch from two distributions."""
    made = lists(11, [8] * 16)
    found = {}
    for name in ("kl-divergence", "listnet"):
        scores, labels, mask = tensors(made)
        value = LIST_LOSSES[name](scores, labels, mask)
        value.backward()
        found[name] = value, scores.grad
    scores, labels, _ = tensors(made)
    teacher = labels.softmax(dim=1)
    value = torch.nn.functional.kl_div(scores.log_softmax(dim=1), teacher, reduction="batchmean")
    value.backward()
    entropy = torch.distributions.Categorical(teacher).entropy().mean()
    assert torch.allclose(found["kl-divergence"][0], value, rtol=1e-12, atol=0)
    assert torch.allclose(found["listnet"][0] - entropy, value, rtol=1e-10, atol=1e-12)
    for _, gradient in found.values():
        assert torch.allclose(gradient, scores.grad, rtol=0, atol=1e-14)


def test_kl_divergence_of_equal_distributions_is_zero():
    scores, _, mask = tensors(lists(12, [8, 3]))
    value = LIST_LOSSES["kl-divergence"](scores, scores.detach() + 5, mask)  # softmax ignores a shift
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-14)
    assert scores.grad.abs().max() < 1e-14


def test_ranknet_of_one_list_equals_the_library_except_for_the_base():
    for made in lists(5, [3, 9, 30]):
        expected = by_library(library.RankNetLoss(Precomputed(), mini_batch_size=-1), [made])
        assert LIST_LOSSES["ranknet"](*tensors([made])).item() / math.log(2) == pytest.approx(expected, rel=1e-5)


def test_adr_mse_of_one_list_equals_the_library():
    for made in lists(6, [3, 9, 30]):
        expected = by_library(library.ADRMSELoss(Precomputed(), mini_batch_size=-1), [made])
        assert LIST_LOSSES["adr-mse"](*tensors([made])).item() == pytest.approx(expected, rel=1e-5)


def test_mse_of_equal_lists_equals_torch():
    scores, labels, mask = tensors(lists(8, [6] * 4))
    expected = torch.nn.functional.mse_loss(scores, labels)
    assert LIST_LOSSES["mse"](scores, labels, mask).item() == pytest.approx(expected.item(), rel=1e-12)


def test_margin_mse_with_one_top_passage_equals_the_library():
    scores = torch.tensor([[2.0, 1.0, -3.0], [0.5, 0.7, 0.1]])
    labels = torch.tensor([[3.0, 1.0, 0.5], [2.0, 0.0, 1.0]])
    # the library's class needs a real cross-encoder, its equation does not
    given = SimpleNamespace(loss_fct=torch.nn.MSELoss(), logits_from_pairs=lambda pairs, **_: torch.stack(
        [second for _, second in pairs]))  # fmt: skip
    expected = library.MarginMSELoss.forward(given, [["", ""], *scores.T], labels)
    assert LIST_LOSSES["margin-mse"](scores, labels, torch.ones(2, 3, dtype=bool)).item() == pytest.approx(
        expected.item()
    )


def test_lce_with_one_top_passage_is_cross_entropy():
    """TWOLAR's published softmax_ce_loss and the library's MultipleNegativesRankingLoss compute the same."""
    scores, labels, mask = tensors([([2.0, 1.0, -3.0], [1.0, 0.5, 1 / 3]), ([0.5, 0.7, 0.1], [1.0, 0.0, 0.0])])
    first = torch.nn.functional.cross_entropy(scores, torch.zeros(2, dtype=torch.long))
    assert LIST_LOSSES["lce"](scores, labels, mask).item() == pytest.approx(first.item())


def test_lambda_loss_without_weights_equals_twolar():
    """TWOLAR's lambda_loss is the mean over all pairs i above j of all lists of log2(1 + exp(s_j - s_i))."""
    made = lists(9, [3, 9, 30])
    pairs = [(scores[i], scores[j]) for scores, labels in made
             for i in range(len(scores)) for j in range(len(scores)) if labels[i] > labels[j]]  # fmt: skip
    expected = sum(math.log2(1 + math.exp(below - above)) for above, below in pairs) / len(pairs)
    assert list_function("lambda", "none")(*tensors(made)).item() == pytest.approx(expected, rel=1e-6)


def test_binary_cross_entropy_of_one_list_equals_torch():
    scores, labels, mask = tensors([([2.0, -1.0, 0.5, 0.1], [1.0, 0.5, 1 / 3, 0.25])])
    expected = torch.nn.BCEWithLogitsLoss()(scores, labels).item()
    assert LIST_LOSSES["binary-cross-entropy"](scores, labels, mask).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighing", WEIGHINGS)
def test_lambda_loss_equals_the_library_with_every_weighing(weighing):
    made = lists(6, [3, 9, 30])
    loss = library.LambdaLoss(Precomputed(), weighting_scheme=WEIGHINGS[weighing](), mini_batch_size=-1)
    scores, labels, mask = tensors(made, math.nan)
    value = list_function("lambda", weighing)(scores, labels, mask)
    assert value.item() == pytest.approx(by_library(loss, made), rel=1e-5)
    value.backward()
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[mask].abs().sum() > 0


def test_lambda_loss_weighings_differ():
    arguments = tensors(lists(7, [9, 30]))
    assert len({round(lambda_loss(weighing)(*arguments).item(), 6) for weighing in WEIGHINGS}) == len(WEIGHINGS)


# Padding and precision


def test_pad_lists_pads_to_the_longest_list():
    scores, labels, mask = pad_lists(torch.tensor([1.0, 2.0, 3.0, 4.0]), [torch.tensor([5, 6, 7]), torch.tensor([8.5])])
    assert scores.tolist() == [[1, 2, 3], [4, 0, 0]]
    assert labels.tolist() == [[5, 6, 7], [8.5, 0, 0]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]


@pytest.mark.parametrize(
    ("given", "made"), [("bfloat16", torch.float32), ("float32", torch.float32), ("float64", torch.float64)]
)
def test_pad_lists_converts_to_at_least_float32(given, made):
    scores, labels, _ = pad_lists(torch.zeros(2, dtype=getattr(torch, given)), [torch.tensor([1.0, 0.0])])
    assert scores.dtype is labels.dtype is made


def test_loss_of_several_lists_equals_accumulated_steps_of_one():
    made = lists(8, [4, 30, 9])
    for name, function in LIST_LOSSES.items():
        alone = [function(*tensors([item])).item() for item in made]
        assert function(*tensors(made)).item() == pytest.approx(sum(alone) / 3, rel=1e-9), name
