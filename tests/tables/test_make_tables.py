"""Tables: what is out of distribution follows from the entities, and both forms say the same."""

import csv
import re

import pytest

from synthrank.errors import DataError
from synthrank.scores import Score, write_scores
from synthrank.tables.make_tables import MACRO, make_tables

HEADER = "ranker,recipe,llm,testset,measure,mean,std,ci_low,ci_high,seeds,queries"
RECIPE = (
    "kind: pairs\ncorpus: {}\npositives: [{{paradigm: human, queries: 1}}]\n"
    "negatives: {{source: human, retriever: bm25}}\n"
)
MEASURES = ["nDCG@10", "AP"]
TESTSETS = {"faq": "home", "faq-dev": "home", "bees": "bees", "lakes": "lakes"}


def scores(ranker, recipe, llm, seeds, testsets, base, measures=("nDCG@10", "AP")):
    """Return scores of two queries each, one .1 above and one .1 below base + .01 for each place of the test set."""
    return [
        Score(ranker, recipe, llm, seed, testset, measure, f"{testset}{sign}",
              base + 0.01 * list(TESTSETS).index(testset) + 0.1 * sign + (0.05 if seed == "2" else 0))
        for measure in measures for seed in seeds for testset in testsets for sign in (-1, 1)
    ]  # fmt: skip


@pytest.fixture
def tables(tmp_path):
    for name, corpus in TESTSETS.items():
        (tmp_path / f"{name}.yaml").write_text(f"corpus: {corpus}\nsplit: test\n")
    for name, corpus in (("human", "home"), ("other", "bees")):
        (tmp_path / f"r-{name}.yaml").write_text(RECIPE.format(corpus))
        (tmp_path / f"{name}-recipe").mkdir()
        (tmp_path / f"r-{name}.yaml").rename(tmp_path / f"{name}-recipe/{name}.yaml")

    def do(*files, recipes=("human",), testsets=tuple(TESTSETS)):
        paths = []
        for place, rows in enumerate(files):
            paths.append(tmp_path / f"m{place}.csv")
            write_scores(paths[-1], rows)
        out = {
            f"{name}_{form}": tmp_path / f"{name}.{form}" for name in ("id", "ood") for form in ("table", "markdown")
        }
        make_tables(
            metrics=paths, recipes=[tmp_path / f"{name}-recipe/{name}.yaml" for name in recipes],
            testsets=[tmp_path / f"{name}.yaml" for name in testsets], measures=MEASURES, resamples=200,
            confidence=0.95, seed=1, **out,
        )  # fmt: skip
        return {name: path.read_text() for name, path in out.items()}

    return do


def rows(text):
    assert text.splitlines()[0] == HEADER
    return list(csv.DictReader(text.splitlines()))


def keys(text):
    return [(row["ranker"], row["recipe"], row["testset"], row["measure"]) for row in rows(text)]


FIRST = scores("bm25", "none", "none", [""], TESTSETS, 0.3)
TRAINED = scores("ce", "human", "none", ["1", "2"], TESTSETS, 0.5)


def test_in_and_out_of_distribution_follow_from_the_corpora(tables):
    made = tables(FIRST, TRAINED)
    inside = [(system, recipe, name, measure) for system, recipe in (("bm25", "none"), ("ce", "human"))
              for measure in ("nDCG@10", "AP") for name in ("faq", "faq-dev")]  # fmt: skip
    outside = [(system, recipe, name, measure) for system, recipe in (("bm25", "none"), ("ce", "human"))
               for measure in ("nDCG@10", "AP") for name in ("bees", "lakes", MACRO)]  # fmt: skip
    assert keys(made["id_table"]) == inside
    assert keys(made["ood_table"]) == outside


def test_values_worked_out_by_hand(tables):
    made = rows(tables(FIRST, TRAINED)["ood_table"])
    macro = next(row for row in made if row["ranker"] == "ce" and row["testset"] == MACRO)
    # bees is the third test set, lakes the fourth; seed 2 is .05 above seed 1
    assert float(macro["mean"]) == pytest.approx((0.52 + 0.53) / 2 + 0.025)
    assert float(macro["std"]) == pytest.approx(0.05 / 2**0.5, abs=1e-4)
    assert (macro["seeds"], macro["queries"]) == ("2", "4")
    bees = next(row for row in made if row["ranker"] == "bm25" and row["testset"] == "bees")
    assert bees["mean"] == "0.3200"
    assert (bees["std"], bees["ci_low"], bees["ci_high"], bees["seeds"]) == ("", "0.2200", "0.4200", "1")


def test_recipes_of_two_corpora_have_different_places(tables):
    """bees is in distribution for `other`; baselines stand wherever any recipe does."""
    made = tables(FIRST, TRAINED, scores("ce", "other", "none", ["1", "2"], TESTSETS, 0.6), recipes=("human", "other"))
    inside, outside = (
        {(row["recipe"], row["testset"]) for row in rows(made[f"{name}_table"])} for name in ("id", "ood")
    )
    assert inside == {
        ("human", "faq"), ("human", "faq-dev"), ("other", "bees"), ("none", "faq"), ("none", "faq-dev"),
        ("none", "bees"),
    }  # fmt: skip
    assert {name for recipe, name in outside if recipe == "other"} == {"faq", "faq-dev", "lakes", MACRO}
    assert {name for recipe, name in outside if recipe == "none"} == {*TESTSETS, MACRO}


def test_what_other_tables_measure_is_not_shown(tables):
    more = ("nDCG@1", "nDCG@10", "AP", "P@5")
    wider = tables(scores("bm25", "none", "none", [""], TESTSETS, 0.3, more),
                   scores("ce", "human", "none", ["1", "2"], TESTSETS, 0.5, more))  # fmt: skip
    assert wider == tables(FIRST, TRAINED)


def test_one_test_set_needs_no_macro_average(tables):
    made = tables(FIRST, TRAINED, testsets=("faq", "bees"))
    assert [key[2] for key in keys(made["ood_table"])] == ["bees"] * 4


def test_an_experiment_without_a_test_set_inside_has_an_empty_table(tables):
    made = tables(scores("ce", "human", "none", ["1"], ["bees", "lakes"], 0.5), testsets=("bees", "lakes"))
    assert made["id_table"] == HEADER + "\n"
    assert made["id_markdown"].startswith("# In distribution\n")
    assert len(rows(made["ood_table"])) == 6


def test_the_markdown_twin_holds_the_same_numbers(tables):
    made = tables(FIRST, TRAINED)
    for name, title in (("id", "# In distribution"), ("ood", "# Out of distribution")):
        text = made[f"{name}_markdown"]
        assert text.splitlines()[0] == title
        assert "[95% bootstrap interval over queries]" in text
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["nDCG@10", "AP"]
        found = {}
        for section in text.split("\n## ")[1:]:
            measure, *lines = [line for line in section.splitlines() if line]
            head = [cell.strip() for cell in lines[0].strip("|").split("|")]
            assert head[:4] == ["ranker", "recipe", "llm", "seeds"]
            for line in lines[2:]:
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                for testset, cell in zip(head[4:], cells[4:], strict=True):
                    found[cells[0], cells[1], cells[3], testset, measure] = cell
        assert len(found) == len(rows(made[f"{name}_table"]))
        for row in rows(made[f"{name}_table"]):
            cell = found[row["ranker"], row["recipe"], row["seeds"], row["testset"], row["measure"]]
            mean, low, high = map(float, re.fullmatch(r"(.*) \[(.*), (.*)\]", cell).groups())
            for shown, key in ((mean, "mean"), (low, "ci_low"), (high, "ci_high")):
                assert shown == pytest.approx(float(row[key]), abs=0.00056)


def test_seeds_must_have_scored_the_same_queries(tables):
    with pytest.raises(DataError, match="ce/human/none on faq: seeds scored different queries; remove results/metrics"):
        tables(TRAINED[1:])
