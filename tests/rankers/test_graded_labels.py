"""Groups with labels 0 to 3: list losses use them unchanged, and losses of labels 0 and 1 refuse them."""

import math

import pytest
import torch

from synthrank.config.base import validate
from synthrank.config.rankers import RankerSpec
from synthrank.data.records import Candidate, Group
from synthrank.errors import ModelError
from synthrank.rankers.datasets import contrastive_dataset, listwise_dataset
from synthrank.rankers.losses import LIST_LOSSES, lambda_loss, pad_lists

LABELS = [3.0, 3.0, 2.0, 1.0, 1.0, 0.0, 0.0]
GROUP = Group("q", "query", tuple(Candidate(f"p{place}", f"t{place}", label) for place, label in enumerate(LABELS)))


def spec(architecture, loss, **changed):
    own = {"rerank": {"retriever": "bm25"}} if architecture == "cross-encoder" else {}
    optimiser = {"learning_rate": 1e-3, "epochs": 1, "batch_size": 2}
    settings = {"architecture": architecture, "base": {"model": "tiny"}, "max_length": 24, "loss": loss}
    return validate(RankerSpec, settings | {"optimiser": optimiser} | own | changed, "spec")


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_listwise_dataset_keeps_graded_labels(architecture):
    row = listwise_dataset([GROUP], spec(architecture, "listnet"))[0]
    assert row["labels"] == LABELS
    assert row["passages"] == [f"t{place}" for place in range(7)]


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_negatives_limits_only_passages_of_label_0(architecture):
    assert listwise_dataset([GROUP], spec(architecture, "listnet", negatives=1))[0]["labels"] == LABELS[:6]


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_listwise_dataset_uses_teacher_scores_only_for_kl_divergence(architecture):
    scores = [3.5, -2.0, 0.0, 7.25]
    items = tuple(
        Candidate(f"p{place}", f"t{place}", float(not place), "human", score) for place, score in enumerate(scores)
    )
    group = Group("q", "query", items)
    assert listwise_dataset([group], spec(architecture, "kl-divergence"))[0]["labels"] == scores
    assert listwise_dataset([group], spec(architecture, "listnet"))[0]["labels"] == [1, 0, 0, 0]
    cut = listwise_dataset([group], spec(architecture, "kl-divergence", negatives=2))[0]
    assert (cut["passages"], cut["labels"]) == (["t0", "t1", "t2"], scores[:3]), "labels still determine the negatives"
    data, _ = contrastive_dataset([group], spec(architecture, "multiple-negatives"))
    assert [data[0][name] for name in ("positive", "negative_1", "negative_3")] == ["t0", "t1", "t3"]
    message = r"^query q: a passage has no teacher score; kl-divergence needs a recipe with a teacher$"
    with pytest.raises(ModelError, match=message):
        listwise_dataset([GROUP], spec(architecture, "kl-divergence"))


def test_listnet_of_graded_labels_equals_its_equation():
    scores = [1.0, 0.5, 2.0, -1.0, 0.0, 0.3, 0.1]
    weights = [math.exp(label) for label in LABELS]
    total = math.log(sum(math.exp(score) for score in scores))
    expected = -sum(w / sum(weights) * (score - total) for w, score in zip(weights, scores, strict=True))
    given = pad_lists(torch.tensor(scores, dtype=torch.float64), [torch.tensor(LABELS)])
    assert LIST_LOSSES["listnet"](*given).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["ranknet", "listnet", "lambda"])
def test_list_losses_are_lowest_in_the_order_of_the_labels(name):
    function = lambda_loss("ndcg2++") if name == "lambda" else LIST_LOSSES[name]

    def loss(scores):
        return function(*pad_lists(torch.tensor(scores), [torch.tensor(LABELS)])).item()

    right = loss(LABELS)
    for place in (1, 2, 4):  # neighbours with different labels are swapped
        swapped = LABELS.copy()
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        assert loss(swapped) > right


@pytest.mark.parametrize(
    ("shape", "architecture", "loss", "found"),
    [
        (contrastive_dataset, "bi-encoder", "multiple-negatives", "graded labels"),
        (contrastive_dataset, "cross-encoder", "multiple-negatives", "graded labels"),
        (listwise_dataset, "cross-encoder", "binary-cross-entropy", "a label above 1"),
    ],
)
def test_losses_of_labels_0_and_1_refuse_graded_labels(shape, architecture, loss, found):
    with pytest.raises(ModelError, match=f"query q: {found}; {loss} needs"):
        shape([GROUP], spec(architecture, loss))
