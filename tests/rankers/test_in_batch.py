"""In-batch negatives that are relevant to a query: rows are separated, and the remaining passages are masked."""

import random

import numpy as np
import pytest
import torch
import toy_task as toy
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses

from synthrank.data.records import Candidate, Group
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.rankers.datasets import contrastive_dataset
from synthrank.rankers.in_batch import (
    ApartBatches,
    CachedMaskedNegatives,
    MaskedNegatives,
    MaskedPairNegatives,
)
from synthrank.rankers.relevance import Relevance

pytestmark = pytest.mark.usefixtures("one_thread")


def row(query, positive, *negatives, relevant=(), text=None):
    """Return a row; the text of a passage is in ``text`` or made from its id."""
    texts = text or {}
    items = [
        Candidate(name, texts.get(name, f"text of {name}"), float(not place))
        for place, name in enumerate((positive, *negatives))
    ]
    return Group(query, f"{query}?", tuple(items), tuple(relevant)), items


def masked(rows):
    """Return the masked passages of one batch of all rows, as (row, row of the passage, column)."""
    mask = Relevance(rows).mask(range(len(rows)), 0, len(rows)).reshape(len(rows), -1, len(rows))
    return {(place, other, column) for place, column, other in np.argwhere(mask).tolist()}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("a", "p", "n"), row("b", "r", "m")], set()),
        ([row("a", "p", "n"), row("a", "a@zero", "m")], {(0, 1, 0), (1, 0, 0)}),  # a second positive of the query
        ([row("a", "p", "n", relevant=["p", "r"]), row("b", "r", "m")], {(0, 1, 0)}),  # judged relevant
        ([row("a", "p", "n", relevant=["m"]), row("b", "r", "m")], {(0, 1, 1)}),  # as a negative of another query
        ([row("a", "p", "n"), row("b", "p", "m")], {(0, 1, 0), (1, 0, 0)}),  # the same passage
        ([row("a", "p", "n"), row("b", "r", "m", text={"r": "Text  of P"})], {(0, 1, 0), (1, 0, 0)}),  # its copy
        ([row("a", "p", "n"), row("b", "r", "p")], {(0, 1, 1)}),  # a positive as another query's negative
        ([row("a", "p", "n"), row("b", "r", "n")], set()),  # a negative of both
        ([row("a", "p", "q", relevant=["q"]), row("b", "r", "m")], set()),  # a row's own negatives are the recipe's
        (
            [row("a", "p", "n", text={"p": "x"}), row("b", "p", "m", text={"p": "y"})],
            {(0, 1, 0), (1, 0, 0)},
        ),  # reworded
    ],
)
def test_mask_finds_relevant_passages_of_other_rows(rows, expected):
    assert masked(rows) == expected


def some_rows(generator, queries=12, columns=3):
    """Return two rows per query over few passages, so that many passages are relevant to several queries."""
    rows = []
    for number in range(queries):
        for _ in range(2):
            names = generator.sample([f"p{place}" for place in range(25)], columns)
            relevant = generator.sample([f"p{place}" for place in range(25)], 3)
            rows.append(row(f"q{number}", *names, relevant=relevant))
    return rows


def independent_loss(queries, passages, rows, scale, squash=None):
    """Return the mean loss of all rows in float64, by sums over an explicit list of negatives per query."""
    relevant = {}
    for group, items in rows:
        relevant.setdefault(group.query_id, set()).update({items[0].id, *group.relevant})
    total = 0.0
    for place, (group, items) in enumerate(rows):
        against = []
        for other, (_, theirs) in enumerate(rows):
            for column, item in enumerate(theirs):
                if other == place or item.id not in relevant[group.query_id]:
                    against.append(passages[column][other])
        scores = np.array([squash(place, vector) if squash else vector @ queries[place] for vector in against]) * scale
        own = (squash(place, passages[0][place]) if squash else passages[0][place] @ queries[place]) * scale
        total += np.log(np.exp(scores - own).sum())
        assert items
    return total / len(rows)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [MaskedNegatives, CachedMaskedNegatives])
def test_masked_loss_equals_an_independent_sum(kind, seed, encoder):
    """Loss and gradient of both classes; the cached class computes 5 rows per call."""
    rows = some_rows(random.Random(seed))
    generator = torch.Generator().manual_seed(seed)
    columns = [torch.randn(len(rows), 8, generator=generator, dtype=torch.float64) for _ in range(4)]
    columns = [nn / nn.norm(dim=1, keepdim=True) for nn in columns]
    model = SentenceTransformer(str(encoder), device="cpu")
    relevance = Relevance(rows)
    options = {"mini_batch_size": 5} if kind is CachedMaskedNegatives else {}
    loss = kind(model, relevance, scale=20.0, **options)
    given = [column.clone().requires_grad_() for column in columns]
    numbers = torch.arange(len(rows))
    mask = torch.from_numpy(relevance.mask(range(len(rows)), 0, len(rows)))
    assert 0 < mask.sum() < mask.numel()
    loss._cosine.mask = mask
    if kind is CachedMaskedNegatives:
        value = loss.calculate_loss([[column] for column in given], numbers)
    else:
        value = loss.compute_loss_from_embeddings(given, numbers)
    queries, *passages = (column.numpy() for column in columns)
    assert float(value.detach()) == pytest.approx(independent_loss(queries, passages, rows, 20.0), rel=1e-9)
    value.backward()
    assert all(torch.isfinite(column.grad).all() for column in given)
    other = [column.clone().requires_grad_() for column in columns]
    plain = MaskedNegatives(model, relevance, scale=20.0)
    plain._cosine.mask = mask
    plain.compute_loss_from_embeddings(other, numbers).backward()
    for one, two in zip(given, other, strict=True):
        assert torch.allclose(one.grad, two.grad, atol=1e-12)


def test_masked_loss_without_masked_passages_equals_the_library(encoder):
    rows = [row(f"q{number}", f"p{number}", f"n{number}") for number in range(6)]
    columns = [torch.randn(6, 8, generator=torch.Generator().manual_seed(1)) for _ in range(3)]
    model = SentenceTransformer(str(encoder), device="cpu")
    loss = MaskedNegatives(model, Relevance(rows), scale=20.0)
    loss._cosine.mask = torch.from_numpy(Relevance(rows).mask(range(6), 0, 6))
    expected = losses.MultipleNegativesRankingLoss(model, scale=20.0).compute_loss_from_embeddings(columns, None)
    assert torch.equal(loss.compute_loss_from_embeddings(columns, None), expected)


def test_cached_masked_negatives_equals_the_plain_loss(encoder, calm):
    """Losses and gradients of the model's weights, for a batch in which rows share positives."""
    rows = [*toy.groups(12), *toy.groups(4)]
    found = []
    for loss in ("multiple-negatives", "cached-multiple-negatives"):
        data, relevance = contrastive_dataset(rows, toy.spec("bi-encoder", loss))
        model = SentenceTransformer(str(calm), device="cpu")
        kind = MaskedNegatives if loss == "multiple-negatives" else CachedMaskedNegatives
        features = [model.preprocess(data[name]) for name in data.column_names if name != "label"]
        made = kind(model, relevance, scale=20.0, **({"mini_batch_size": 3} if kind is CachedMaskedNegatives else {}))
        value = made(features, torch.tensor(data["label"]))
        value.backward()
        assert relevance.rows_masked >= 8, "each of four rows that occur twice"
        found.append((float(value.detach()), {name: each.grad for name, each in model.named_parameters()}))
    (one, plain), (other, cached) = found
    assert other == pytest.approx(one, abs=1e-5)
    for name, gradient in plain.items():
        if gradient is not None:
            assert torch.allclose(gradient, cached[name], atol=1e-5), name


@pytest.fixture(scope="module")
def calm(tmp_path_factory, encoder):
    """Return an encoder without dropout."""
    import json
    import shutil

    folder = tmp_path_factory.mktemp("calm") / "encoder"
    shutil.copytree(encoder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {key: 0.0 for key in config if "dropout" in key}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_masked_pair_negatives_equals_an_independent_sum(calm):
    """The library applies a sigmoid, then a scale of 10."""
    groups = [*toy.groups(6, negatives=2), *toy.groups(2, negatives=2)]
    spec = toy.spec("cross-encoder", "multiple-negatives")
    data, relevance = contrastive_dataset(groups, spec)
    model = open_pair_model(spec, calm, 1)
    loss = MaskedPairNegatives(model, relevance)
    columns = [data[name] for name in data.column_names if name != "label"]
    with torch.no_grad():
        value = float(loss(columns, torch.tensor(data["label"])))

        def squash(place, text):
            features = model.preprocess([(data["query"][place], text)])
            return float(torch.sigmoid(model(features)["scores"].double()).view(-1)[0])

        rows = [(group, list(group.candidates)) for group in groups]
        by_text = []
        for group, items in rows:  # ids from texts, because rows with one text are one passage
            named = [Candidate(item.text, item.text, item.label) for item in items]
            by_text.append((Group(group.query, group.query, tuple(named)), named))
        expected = independent_loss(None, [data[name] for name in data.column_names[1:-1]], by_text, 10.0, squash)
    assert value == pytest.approx(expected, abs=1e-4)
    assert relevance.rows_masked >= 4


def conflicts(rows, batches):
    """Count rows whose positive is relevant to another row's query of the batch, by ids."""
    relevant = {}
    for group, items in rows:
        relevant.setdefault(group.query_id, set()).update({items[0].id, *group.relevant})
    return sum(
        any(rows[place][1][0].id in relevant[rows[other][0].query_id] for other in batch if other != place)
        for batch in batches
        for place in batch
    )


def enriched(queries=48):
    """Return rows as from an enrichment recipe: each query with a human and a generated passage."""
    human = [row(f"q{number}", f"p{number}", f"n{number}", relevant=[f"p{number}"]) for number in range(queries)]
    return [*human, *(row(f"q{number}", f"q{number}@zero", f"m{number}") for number in range(queries))]


@pytest.mark.parametrize("seed", range(20))
def test_deal_puts_no_query_twice_into_a_batch(seed):
    """48 queries with two passages each in batches of 16, as in the demo: in random order 15 of 96 rows conflict."""
    rows = enriched()
    order = random.Random(seed).sample(range(96), 96)
    batches = Relevance(rows).deal(order, 16)
    assert [len(batch) for batch in batches] == [16] * 6
    assert sorted(place for batch in batches for place in batch) == list(range(96))
    assert conflicts(rows, batches) == 0
    by_chance = [order[start : start + 16] for start in range(0, 96, 16)]
    assert conflicts(rows, by_chance) > 0


@pytest.mark.parametrize(("count", "size"), [(1, 4), (3, 4), (17, 4), (96, 16), (95, 16), (20, 1)])
def test_deal_keeps_the_number_and_size_of_batches(count, size):
    rows = (enriched() * 2)[:count]
    batches = Relevance(rows).deal(range(count), size)
    assert [len(batch) for batch in batches] == [len(range(count)[at : at + size]) for at in range(0, count, size)]
    assert sorted(place for batch in batches for place in batch) == list(range(count))
    filled = Relevance(rows).deal(range(count), size, fill=True)
    assert {len(batch) for batch in filled} == {size}
    assert filled[:-1] == batches[:-1]
    assert filled[-1][: len(batches[-1])] == batches[-1]


def test_mask_covers_rows_that_deal_cannot_separate():
    rows = enriched(6)
    relevance = Relevance(rows)
    batches = relevance.deal(range(12), 8)
    assert [len(batch) for batch in batches] == [8, 4]
    assert conflicts(rows, batches) == 4, "two of six queries occur twice in a batch of eight"
    for batch in batches:
        mask = relevance.mask(batch, 0, len(batch)).reshape(len(batch), -1, len(batch))
        for place, one in enumerate(batch):
            for other, two in enumerate(batch):
                same = one != two and rows[one][0].query_id == rows[two][0].query_id
                assert mask[place, 0, other] == same
    assert relevance.rows_masked == 4


def test_mask_of_a_process_contains_its_rows():
    """Each of two processes has half of the rows, and the passages of both processes."""
    rows = some_rows(random.Random(1))
    relevance = Relevance(rows)
    order = random.Random(2).sample(range(24), 24)
    whole = relevance.mask(order, 0, 24)
    assert np.array_equal(np.concatenate([relevance.mask(order, 0, 12), relevance.mask(order, 12, 12)]), whole)


def test_apart_batches_of_several_processes_equal_those_of_one():
    relevance = Relevance(enriched())

    def batches(processes, size):
        generator = torch.Generator().manual_seed(3)
        made = ApartBatches(range(96), relevance=relevance, processes=processes, batch_size=size, generator=generator)
        found = list(made)
        assert len(made) == len(found)
        again = list(made)
        assert found != again, "the order differs between epochs"
        shares = zip(*(found[at::processes] for at in range(processes)), strict=True)
        return [sorted(place for share in each for place in share) for each in shares]

    assert batches(2, 8) == batches(1, 16) == batches(4, 4)


@pytest.mark.parametrize(("architecture", "loss"), [
    ("bi-encoder", "multiple-negatives"), ("bi-encoder", "cached-multiple-negatives"),
    ("cross-encoder", "multiple-negatives"),
])  # fmt: skip
def test_training_log_counts_masked_rows(tmp_path, encoder, architecture, loss):
    apart = toy.groups(4)
    spec = toy.spec(architecture, loss, batch_size=8, epochs=2)
    assert train(spec, Training(encoder, apart * 2, 1), tmp_path / "twice").rows_masked == 2 * 8
    assert train(spec, Training(encoder, apart * 2, 1), tmp_path / "again").updates == 2
