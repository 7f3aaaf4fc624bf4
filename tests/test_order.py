"""Seeded orders: fixed, nested, and untouched by what else is in the list."""

import hashlib

from synthrank.order import drawn, sample, seeded

NAMES = [f"q{number}" for number in range(50)]


def test_the_order_is_that_of_the_hashes():
    expected = sorted(NAMES, key=lambda name: hashlib.sha256(b"13\0" + name.encode()).hexdigest())
    assert seeded(NAMES, 13) == expected
    assert seeded(reversed(NAMES), 13) == expected


def test_leaving_a_name_out_moves_no_other():
    full = seeded(NAMES, 1)
    assert seeded([name for name in NAMES if name != full[7]], 1) == full[:7] + full[8:]


def test_seeds_differ_and_every_name_is_kept():
    assert seeded(NAMES, 1) != seeded(NAMES, 2)
    assert sorted(seeded(NAMES, 1)) == sorted(NAMES)
    assert seeded(NAMES, 1) != NAMES


def test_seed_and_name_cannot_run_together():
    assert seeded(["1a", "b"], 1) == sorted(
        ["1a", "b"], key=lambda name: hashlib.sha256(f"1\0{name}".encode()).digest()
    )


def test_a_sample_is_the_beginning_of_the_order_and_reads_its_items_once():
    order = seeded(NAMES, 13)
    for count in (1, 7, 50, 60):
        assert sample(iter(NAMES), count, 13, str) == order[:count]
    pairs = [(name, place) for place, name in enumerate(NAMES)]
    assert sample(iter(pairs), 5, 13, lambda pair: pair[0]) == [(name, NAMES.index(name)) for name in order[:5]]


def test_what_names_are_drawn_for_has_an_order_of_its_own():
    orders = {tuple(seeded(NAMES, 13, of=f"query{number}")) for number in range(20)}
    assert len(orders) == 20
    assert tuple(seeded(NAMES, 13)) not in orders
    expected = sorted(NAMES, key=lambda name: hashlib.sha256(b"13\0query1\0" + name.encode()).hexdigest())
    assert seeded(NAMES, 13, of="query1") == expected


def test_draw_0_is_the_seed_itself_and_other_draws_have_seeds_of_their_own():
    assert drawn(13, 0) == 13
    seeds = {drawn(seed, draw) for seed in (1, 2, 13) for draw in range(1, 50)}
    assert len(seeds) == 3 * 49
    assert all(0 <= seed < 2**31 for seed in seeds), "a seed of torch and NumPy too"
    assert drawn(1, 2) == drawn(1, 2) != drawn(2, 1)
