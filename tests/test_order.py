"""Seeded orders: fixed, nested, and untouched by what else is in the list."""

import hashlib

from synthrank.order import sample, seeded

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
