import math

import pytest
import torch
from scipy.stats import chisquare
from transformers import TopPLogitsWarper

from synthrank.config.llms import Sampling
from synthrank.llms.sampling import CANDIDATES, GumbelNoise, TopP, sampler

LOGITS = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0])
DRAWS = 4000


def draw(sampling, logits=LOGITS):
    """Return the sampled token of each of ``DRAWS`` rows with the same logits."""
    scores = logits.repeat(DRAWS, 1)
    for processor in sampler(sampling, range(DRAWS), "cpu"):
        scores = processor(None, scores)
    return scores.argmax(-1)


def counts(tokens):
    return torch.bincount(tokens, minlength=len(LOGITS)).tolist()


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.5])
def test_sampled_frequencies_equal_the_softmax(temperature):
    found = counts(draw(Sampling(temperature=temperature)))
    wanted = (DRAWS * (LOGITS / temperature).double().softmax(-1)).tolist()
    assert chisquare(found, wanted).pvalue > 0.01


def test_top_p_keeps_the_proportions_of_the_most_likely_tokens():
    # softmax is .556 .205 .124 .075 .028, so that three tokens are needed for 0.8
    found = counts(draw(Sampling(temperature=1.0, top_p=0.8)))
    kept = LOGITS[:3].double().softmax(-1)
    assert found[3:] == [0, 0]
    assert chisquare(found[:3], (DRAWS * kept).tolist()).pvalue > 0.01


def test_steps_of_one_row_are_independent_draws():
    noise = GumbelNoise([5], "cpu")
    steps = torch.stack([noise(None, LOGITS[None])[0].argmax() for _ in range(DRAWS)])
    assert chisquare(counts(steps), (DRAWS * LOGITS.double().softmax(-1)).tolist()).pvalue > 0.01
    pairs = torch.bincount(steps[:-1] * 5 + steps[1:], minlength=25)
    expected = (DRAWS - 1) * LOGITS.double().softmax(-1).outer(LOGITS.double().softmax(-1)).flatten()
    assert ((pairs - expected).abs() < 4 * expected.sqrt() + 1).all()


def test_the_noise_is_standard_gumbel():
    noise = GumbelNoise([1], "cpu")(None, torch.zeros(1, 200_000))[0].double()
    assert noise.mean().item() == pytest.approx(0.577216, abs=0.01)  # Euler's constant
    assert noise.var().item() == pytest.approx(math.pi**2 / 6, abs=0.03)


def test_noise_of_a_row_depends_only_on_its_seed():
    scores = torch.randn(3, 50, generator=torch.Generator().manual_seed(1))
    together = GumbelNoise([7, 8, 9], "cpu")(None, scores)
    alone = GumbelNoise([8], "cpu")(None, scores[1:2])
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0] - scores[0], together[1] - scores[1])


def test_masked_tokens_stay_masked_and_do_not_change_other_noise():
    masked = LOGITS.masked_fill(LOGITS < 0.4, -torch.inf)
    with_mask = GumbelNoise([3], "cpu")(None, masked[None])[0]
    without = GumbelNoise([3], "cpu")(None, LOGITS[None])[0]
    assert with_mask[3:].tolist() == [-math.inf, -math.inf]
    assert torch.equal(with_mask[:3], without[:3])


@pytest.mark.parametrize("scale", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("top_p", [0.0, 0.5, 0.9, 0.95])
def test_top_p_agrees_with_transformers(scale, top_p):
    scores = scale * torch.randn(4, 5 * CANDIDATES, generator=torch.Generator().manual_seed(2))
    assert torch.equal(TopP(top_p)(None, scores), TopPLogitsWarper(top_p)(None, scores))


def test_top_p_of_a_row_does_not_depend_on_other_rows():
    flat, steep = torch.randn(2, 3 * CANDIDATES, generator=torch.Generator().manual_seed(3)) * torch.tensor(
        [[0.1], [9]]
    )
    both = TopP(0.9)(None, torch.stack([flat, steep]))
    assert torch.equal(both[1], TopP(0.9)(None, steep[None])[0])
    assert (both[0] > -torch.inf).sum() > CANDIDATES


def test_top_p_keeps_all_tokens_that_share_the_lowest_kept_logit():
    # softmax is .687 .093 .093 .093 .034: the third token reaches 0.8, and tokens with equal logits are kept together
    scores = torch.tensor([[3.0, 1.0, 1.0, 1.0, 0.0]])
    assert (TopP(0.8)(None, scores) > -torch.inf).tolist() == [[True, True, True, True, False]]
    assert (TopPLogitsWarper(0.8)(None, scores) > -torch.inf).sum() == 3


def test_temperature_zero_is_greedy():
    assert sampler(Sampling(temperature=0.0, top_p=0.5), [1], "cpu") == []
