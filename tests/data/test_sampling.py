"""Seeded orders are fixed and nested, and do not depend on other names."""

import hashlib

from synthrank.data.sampling import draw_seed, sample, shuffle

NAMES = [f"q{number}" for number in range(50)]


def test_shuffle_sorts_by_hash():
    expected = sorted(NAMES, key=lambda name: hashlib.sha256(b"13\0" + name.encode()).hexdigest())
    assert shuffle(NAMES, 13) == expected
    assert shuffle(reversed(NAMES), 13) == expected


def test_shuffle_without_a_name_keeps_the_order_of_the_others():
    full = shuffle(NAMES, 1)
    assert shuffle([name for name in NAMES if name != full[7]], 1) == full[:7] + full[8:]


def test_shuffle_keeps_every_name_and_depends_on_the_seed():
    assert shuffle(NAMES, 1) != shuffle(NAMES, 2)
    assert sorted(shuffle(NAMES, 1)) == sorted(NAMES)
    assert shuffle(NAMES, 1) != NAMES


def test_shuffle_separates_seed_and_name():
    assert shuffle(["1a", "b"], 1) == sorted(
        ["1a", "b"], key=lambda name: hashlib.sha256(f"1\0{name}".encode()).digest()
    )


def test_sample_returns_the_beginning_of_the_order_of_an_iterator():
    order = shuffle(NAMES, 13)
    for count in (1, 7, 50, 60):
        assert sample(iter(NAMES), count, 13, str) == order[:count]
    pairs = [(name, place) for place, name in enumerate(NAMES)]
    assert sample(iter(pairs), 5, 13, lambda pair: pair[0]) == [(name, NAMES.index(name)) for name in order[:5]]


def test_shuffle_for_another_purpose_has_another_order():
    orders = {tuple(shuffle(NAMES, 13, of=f"query{number}")) for number in range(20)}
    assert len(orders) == 20
    assert tuple(shuffle(NAMES, 13)) not in orders
    expected = sorted(NAMES, key=lambda name: hashlib.sha256(b"13\0query1\0" + name.encode()).hexdigest())
    assert shuffle(NAMES, 13, of="query1") == expected


def test_draw_seed_is_the_seed_for_draw_0_and_unique_for_other_draws():
    assert draw_seed(13, 0) == 13
    seeds = {draw_seed(seed, draw) for seed in (1, 2, 13) for draw in range(1, 50)}
    assert len(seeds) == 3 * 49
    assert all(0 <= seed < 2**31 for seed in seeds), "torch and NumPy accept these seeds"
    assert draw_seed(1, 2) == draw_seed(1, 2) != draw_seed(2, 1)
