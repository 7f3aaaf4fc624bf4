"""Test sets in and out of distribution, and their macro-averages."""

import pytest
from passage_case import write_entities

from synthrank.config.distribution import MACRO, Places, add_macro_average


@pytest.fixture
def places(tmp_path):
    recipes, testsets = write_entities(tmp_path)
    (tmp_path / "recipes/away.yaml").write_text(recipes[0].read_text().replace("home", "fern"))
    return Places([*recipes, tmp_path / "recipes/away.yaml"], testsets)


@pytest.mark.parametrize(
    ("recipe", "inside", "outside"),
    [("human", ["home"], ["moss", "fern"]), ("human@12", ["home"], ["moss", "fern"]),
     ("away", ["fern"], ["home", "moss"]), ("levels@3", ["home"], ["moss", "fern"]),
     ("none", ["home", "fern"], ["home", "moss", "fern"]), ("unknown", [], [])],
)  # fmt: skip
def test_places_of_a_recipe_are_divided_by_corpus(places, recipe, inside, outside):
    assert places.of(recipe, "id") == inside
    assert places.of(recipe, "ood") == outside


def test_corpora_with_the_same_data_are_one_distribution(tmp_path):
    recipes, testsets = write_entities(tmp_path)
    same = Places(recipes, testsets, ["moss=fern", "home=fern"])
    assert same.of("human", "id") == ["home", "moss", "fern"]
    assert same.of("human", "ood") == []


def test_one_test_set_needs_no_macro_average():
    assert add_macro_average(["a"]) == [("a", ["a"])]
    assert add_macro_average(["a", "b"]) == [("a", ["a"]), ("b", ["b"]), (MACRO, ["a", "b"])]
    assert add_macro_average([]) == []


def test_a_macro_average_is_over_all_test_sets_or_none():
    assert add_macro_average(["a", "b"], ["a", "b", "c"]) == [("a", ["a"]), ("b", ["b"])]
    assert add_macro_average(["a", "b"], ["a", "b"])[-1] == (MACRO, ["a", "b"])


def test_a_test_set_seen_in_training_is_marked_and_in_no_average(tmp_path):
    recipes, testsets = write_entities(tmp_path)
    places = Places(recipes, testsets, seen=["e5=moss", "e5=home"])
    assert places.of("human", "ood") == ["moss", "fern"], "seen test sets are shown"
    assert places.seen("ood") == {"moss", "home"}
    assert not places.seen("id"), "in distribution every ranker trains on the corpus"
    assert places.is_seen("e5", "moss")
    assert places.is_seen("e5+bm25", "moss")
    assert not places.is_seen("e5", "fern")
    assert not places.is_seen("other", "moss")
    assert add_macro_average(["a", "b", "c"], ["a", "b", "c"], {"b"}) == [
        ("a", ["a"]), ("b", ["b"]), ("c", ["c"]), (MACRO, ["a", "c"])
    ]  # fmt: skip
    assert add_macro_average(["a", "c"], ["a", "b", "c"], {"b"})[-1] == (MACRO, ["a", "c"]), (
        "a missing seen test set does not prevent an average"
    )
    assert add_macro_average(["a", "b"], ["a", "b"], {"b"}) == [("a", ["a"]), ("b", ["b"])]
