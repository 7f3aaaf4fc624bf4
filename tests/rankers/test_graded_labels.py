"""Groups of labels 3 to 0: every loss over the list reads them as they are, losses of labels 1 and 0 refuse them."""

import math

import pytest
import torch

from synthrank.errors import ModelError
from synthrank.rankers.losses import LIST_LOSSES, lambda_loss, padded
from synthrank.rankers.shapes import contrastive, listwise
from synthrank.records import Candidate, Group
from synthrank.specs.base import validate
from synthrank.specs.rankers import RankerSpec

LABELS = [3.0, 3.0, 2.0, 1.0, 1.0, 0.0, 0.0]
GROUP = Group("q", "query", tuple(Candidate(f"p{place}", f"t{place}", label) for place, label in enumerate(LABELS)))


def spec(architecture, loss, **changed):
    own = {"rerank": {"retriever": "bm25"}} if architecture == "cross-encoder" else {}
    optimiser = {"learning_rate": 1e-3, "epochs": 1, "batch_size": 2}
    settings = {"architecture": architecture, "base": {"model": "tiny"}, "max_length": 24, "loss": loss}
    return validate(RankerSpec, settings | {"optimiser": optimiser} | own | changed, "spec")


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_a_list_keeps_its_levels(architecture):
    row = listwise([GROUP], spec(architecture, "listnet"))[0]
    assert row["labels"] == LABELS
    assert row["passages"] == [f"t{place}" for place in range(7)]


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_only_label_0_counts_as_a_negative(architecture):
    assert listwise([GROUP], spec(architecture, "listnet", negatives=1))[0]["labels"] == LABELS[:6]


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_the_kl_divergence_alone_reads_a_teachers_scores(architecture):
    scores = [3.5, -2.0, 0.0, 7.25]
    items = tuple(
        Candidate(f"p{place}", f"t{place}", float(not place), "human", score) for place, score in enumerate(scores)
    )
    group = Group("q", "query", items)
    assert listwise([group], spec(architecture, "kl-divergence"))[0]["labels"] == scores
    assert listwise([group], spec(architecture, "listnet"))[0]["labels"] == [1, 0, 0, 0]
    cut = listwise([group], spec(architecture, "kl-divergence", negatives=2))[0]
    assert (cut["passages"], cut["labels"]) == (["t0", "t1", "t2"], scores[:3]), "labels still say what is a negative"
    data, _ = contrastive([group], spec(architecture, "multiple-negatives"))
    assert [data[0][name] for name in ("positive", "negative_1", "negative_3")] == ["t0", "t1", "t3"]
    with pytest.raises(ModelError, match=r"^query q: no teacher's score; kl-divergence needs a recipe with a teacher$"):
        listwise([GROUP], spec(architecture, "kl-divergence"))


def test_listnet_by_hand():
    scores = [1.0, 0.5, 2.0, -1.0, 0.0, 0.3, 0.1]
    weights = [math.exp(label) for label in LABELS]
    total = math.log(sum(math.exp(score) for score in scores))
    expected = -sum(w / sum(weights) * (score - total) for w, score in zip(weights, scores, strict=True))
    given = padded(torch.tensor(scores, dtype=torch.float64), [torch.tensor(LABELS)])
    assert LIST_LOSSES["listnet"](*given).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["ranknet", "listnet", "lambda"])
def test_the_order_of_the_levels_costs_less_than_any_other(name):
    function = lambda_loss("ndcg2++") if name == "lambda" else LIST_LOSSES[name]

    def loss(scores):
        return function(*padded(torch.tensor(scores), [torch.tensor(LABELS)])).item()

    right = loss(LABELS)
    for place in (1, 2, 4):  # neighbours of unlike levels change places
        swapped = LABELS.copy()
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        assert loss(swapped) > right


@pytest.mark.parametrize(
    ("shape", "architecture", "loss"),
    [
        (contrastive, "bi-encoder", "multiple-negatives"),
        (contrastive, "cross-encoder", "multiple-negatives"),
        (listwise, "cross-encoder", "binary-cross-entropy"),
    ],
)
def test_losses_of_labels_1_and_0_refuse_levels(shape, architecture, loss):
    with pytest.raises(ModelError, match=f"query q: graded labels; {loss} needs"):
        shape([GROUP], spec(architecture, loss))
