"""Seeded orders: fixed, nested, and untouched by what else is in the list."""

import hashlib

from synthrank.order import seeded

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
