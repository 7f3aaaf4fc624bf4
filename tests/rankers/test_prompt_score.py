"""Compare scores and their gradients with the equations in plain numbers."""

import math

import pytest
import torch

from synthrank.config.rankers import CrossEncoderRanker, Seq2SeqRanker
from synthrank.rankers.cross_encoder import OneScore
from synthrank.rankers.prompt_score import STRATEGIES


def outputs(count=200):
    generator = torch.Generator().manual_seed(5)
    return torch.randn(count, 2, dtype=torch.float64, generator=generator).mul(4).requires_grad_()


def naive(name, relevant, other):
    """Return a score and its derivatives with respect to both outputs."""
    if name == "difference":
        return relevant - other, 1.0, -1.0
    if name == "softmax":
        part = math.exp(relevant) / (math.exp(relevant) + math.exp(other))
        return part, part * (1 - part), -part * (1 - part)
    return relevant, 1.0, 0.0


def test_strategies_contain_every_score_of_the_spec():
    named = {*Seq2SeqRanker.model_fields["score"].annotation.__args__,
             *CrossEncoderRanker.model_fields["score"].annotation.__args__}  # fmt: skip
    assert named == set(STRATEGIES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategy_equals_its_equation(name):
    given = outputs()
    scores = STRATEGIES[name](given)
    assert scores.shape == (200,)
    scores.sum().backward()
    for place, (relevant, other) in enumerate(given.tolist()):
        score, up, down = naive(name, relevant, other)
        assert scores[place].item() == pytest.approx(score, abs=1e-6)
        assert given.grad[place].tolist() == pytest.approx([up, down], abs=1e-6)


@pytest.mark.parametrize("name", ["difference", "softmax"])
def test_one_score_uses_the_second_output_as_relevant(name):
    given = outputs()
    features = OneScore(name)({"scores": given, "modality": "text"})
    assert features["modality"] == "text"
    assert features["scores"].shape == (200, 1)
    expected = [naive(name, relevant, other)[0] for other, relevant in given.tolist()]
    assert features["scores"][:, 0].tolist() == pytest.approx(expected, abs=1e-9)
