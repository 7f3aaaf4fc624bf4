"""Compare max pooling before the logarithm with the pooling of sentence-transformers."""

import pytest
import torch
from sentence_transformers import SparseEncoder
from sentence_transformers.sparse_encoder.modules import SpladePooling
from tiny_models import SENTENCES, tiny_splade

from synthrank.retrievers import splade_pooling
from synthrank.retrievers.splade_pooling import MaxPooling, pool_early

pytestmark = pytest.mark.usefixtures("one_thread")

TERMS = 531  # not a multiple of a vector register


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_splade(tmp_path_factory.mktemp("models") / "splade")


def opened(folder, **pooling):
    model = SparseEncoder(str(folder), device="cpu", local_files_only=True)
    if pooling:
        model[1] = SpladePooling(**pooling)
    return model.eval()


def whole_features(dtype=torch.float32):
    """Return hidden states of five texts, one with a single token, and the layer that computes logits.

    All values are small integers, so every order of summation gives the same logits.
    """
    generator = torch.Generator().manual_seed(7)
    decoder = torch.nn.Linear(16, TERMS)
    for weights in decoder.parameters():
        weights.data = torch.randint(-2, 3, weights.shape, generator=generator).float()
    decoder.bias.data -= 12
    hidden = torch.randint(-3, 4, (5, 9, 16), generator=generator)
    lengths = torch.tensor([9, 9, 6, 4, 1])
    mask = (torch.arange(9)[None] < lengths[:, None]).long()
    return {"token_embeddings": hidden.to(dtype), "attention_mask": mask}, decoder.to(dtype)


def pooled(pooling, features):
    with torch.inference_mode():
        return pooling(dict(features))["sentence_embedding"]


@pytest.mark.parametrize(("activation", "logarithms"), [("relu", 1), ("log1p_relu", 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("at_once", [(1, TERMS), (18, 100), (29, 2048)])
def test_max_pooling_equals_the_library_bit_by_bit(monkeypatch, activation, logarithms, dtype, at_once):
    monkeypatch.setattr(splade_pooling, "TOKENS_AT_ONCE", at_once[0])
    monkeypatch.setattr(splade_pooling, "TERMS_AT_ONCE", at_once[1])
    features, decoder = whole_features(dtype)
    logits = decoder(features["token_embeddings"]).detach()
    expected = pooled(SpladePooling("max", activation).eval(), features | {"token_embeddings": logits})
    found = pooled(MaxPooling(decoder, logarithms), features)
    assert torch.equal(found, expected)
    assert found.dtype == dtype
    assert 0.1 < (found == 0).float().mean() < 0.9, "some terms have no weight"


def test_max_pooling_ignores_padding():
    features, decoder = whole_features()
    alone = [
        pooled(MaxPooling(decoder, 1), {name: value[row : row + 1, :length] for name, value in features.items()})
        for row, length in enumerate(features["attention_mask"].sum(dim=1).tolist())
    ]
    features["token_embeddings"][features["attention_mask"] == 0] = 1000.0
    assert torch.equal(pooled(MaxPooling(decoder, 1), features), torch.cat(alone))


def test_max_pooling_computes_tiles(monkeypatch):
    """A tile contains as many texts as fit, in order, and at least one."""
    multiply, tiles = torch.nn.functional.linear, []
    monkeypatch.setattr(torch.nn.functional, "linear", lambda x, w: tiles.append((len(x), len(w))) or multiply(x, w))
    monkeypatch.setattr(splade_pooling, "TERMS_AT_ONCE", 500)
    features, decoder = whole_features()
    for tokens, expected in ((18, [18, 11]), (17, [9, 15, 5]), (1, [9, 9, 6, 4, 1]), (99, [29])):
        tiles.clear()
        monkeypatch.setattr(splade_pooling, "TOKENS_AT_ONCE", tokens)
        pooled(MaxPooling(decoder, 1), features)
        assert tiles == [(rows, terms) for rows in expected for terms in (500, 31)]


@pytest.mark.parametrize("activation", ["relu", "log1p_relu"])
def test_pool_early_keeps_the_weights_of_the_library(folder, activation):
    texts = [*SENTENCES, "", " ".join(SENTENCES)]
    library, model = opened(folder, activation_function=activation), opened(folder, activation_function=activation)
    expected = library.encode(texts, convert_to_sparse_tensor=False, batch_size=4)
    assert pool_early(model)
    assert isinstance(model[1], MaxPooling)
    found = model.encode(texts, convert_to_sparse_tensor=False, batch_size=4)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected)
    assert torch.equal(found > 0, expected > 0)


def test_pool_early_keeps_other_poolings(folder):
    library, model = opened(folder, pooling_strategy="sum"), opened(folder, pooling_strategy="sum")
    assert not pool_early(model)
    assert torch.equal(model.encode("bees dance").to_dense(), library.encode("bees dance").to_dense())
