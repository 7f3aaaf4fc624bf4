"""The tables id and ood: their test sets, values, comparisons and Markdown copies."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from synthrank.config.distribution import MACRO
from synthrank.config.experiment import Intervals
from synthrank.data.scores import Score, write_scores
from synthrank.errors import DataError
from synthrank.stats.paired import compare_all
from synthrank.stats.score_matrix import read_cells
from synthrank.steps.tables.make_tables import make_tables

HEADER = "ranker,recipe,llm,testset,measure,mean,std,ci_low,ci_high,seeds,queries,reference,delta,p,"
HEADER += "p_randomisation,p_holm,first_stage,delta_first_stage,p_first_stage,seen"
RECIPE = (
    "kind: pairs\ncorpus: {}\npositives: [{{paradigm: human, queries: 1}}]\n"
    "negatives: {{source: human, retriever: bm25}}\n"
)
MEASURES = ["nDCG@10", "AP"]
TESTSETS = {"faq": "home", "faq-dev": "home", "bees": "bees", "lakes": "lakes"}


def scores(ranker, recipe, llm, seeds, testsets, base, measures=("nDCG@10", "AP")):
    """Return scores of two queries per test set, .1 above and .1 below base + .01 times the test set's position."""
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

    def do(*files, recipes=("human",), testsets=tuple(TESTSETS), reference="none", rankers=()):
        paths = []
        for place, rows in enumerate(files):
            paths.append(tmp_path / f"m{place}.csv")
            write_scores(paths[-1], rows)
        out = {
            f"{name}_{form}": tmp_path / f"{name}.{form}" for name in ("id", "ood") for form in ("table", "markdown")
        }
        make_tables(
            metrics=paths, answers=[], selected=[],
            recipes=[tmp_path / f"{name}-recipe/{name}.yaml" for name in recipes],
            seen=[], testsets=[tmp_path / f"{name}.yaml" for name in testsets], measures=MEASURES, reference=reference,
            intervals=Intervals(resamples=200, seed=1), trainsets=[], rankers=rankers, scope="", **out,
        )  # fmt: skip
        return {name: path.read_text() for name, path in out.items()}

    return do


def rows(text):
    """Return the rows; columns that were left out, because they are empty in every row, are empty."""
    found = list(csv.DictReader(text.splitlines()))
    columns = HEADER.split(",")
    shown = text.splitlines()[0].split(",")
    assert shown == [name for name in columns if name in shown]
    assert all(any(row[name] for row in found) for name in shown if found)
    return [dict.fromkeys(columns, "") | row for row in found]


def keys(text):
    return [(row["ranker"], row["recipe"], row["testset"], row["measure"]) for row in rows(text)]


FIRST = scores("bm25", "none", "none", [""], TESTSETS, 0.3)
TRAINED = scores("ce", "human", "none", ["1", "2"], TESTSETS, 0.5)


def test_tables_split_test_sets_by_the_corpus_of_the_recipe(tables):
    made = tables(FIRST, TRAINED)
    inside = [(system, recipe, name, measure) for system, recipe in (("bm25", "none"), ("ce", "human"))
              for measure in ("nDCG@10", "AP") for name in ("faq", "faq-dev")]  # fmt: skip
    outside = [(system, recipe, name, measure) for system, recipe in (("bm25", "none"), ("ce", "human"))
               for measure in ("nDCG@10", "AP") for name in ("bees", "lakes", MACRO)]  # fmt: skip
    assert keys(made["id_table"]) == inside
    assert keys(made["ood_table"]) == outside


def test_tables_values_equal_values_computed_by_hand(tables):
    made = rows(tables(FIRST, TRAINED)["ood_table"])
    macro = next(row for row in made if row["ranker"] == "ce" and row["testset"] == MACRO)
    # bees is the third test set, lakes the fourth; seed 2 is .05 above seed 1
    assert float(macro["mean"]) == pytest.approx((0.52 + 0.53) / 2 + 0.025)
    assert float(macro["std"]) == pytest.approx(0.05 / 2**0.5, abs=1e-4)
    assert (macro["seeds"], macro["queries"]) == ("2", "4")
    bees = next(row for row in made if row["ranker"] == "bm25" and row["testset"] == "bees")
    assert bees["mean"] == "0.3200"
    assert (bees["std"], bees["ci_low"], bees["ci_high"], bees["seeds"]) == ("", "0.2200", "0.4200", "1")


def test_tables_split_test_sets_for_each_recipe_separately(tables):
    """Test set bees is in distribution for `other`; baselines are in both tables."""
    made = tables(FIRST, TRAINED, scores("ce", "other", "none", ["1", "2"], TESTSETS, 0.6), recipes=("human", "other"))
    inside, outside = (
        {(row["recipe"], row["testset"]) for row in rows(made[f"{name}_table"])} for name in ("id", "ood")
    )
    assert inside == {
        ("human", "faq"), ("human", "faq-dev"), ("other", "bees"), ("none", "faq"), ("none", "faq-dev"),
        ("none", "bees"),
    }  # fmt: skip
    assert {name for recipe, name in outside if recipe == "other"} == {"faq", "faq-dev", "lakes"}
    assert {name for recipe, name in outside if recipe == "none"} == {*TESTSETS, MACRO}


def test_tables_ignore_measures_of_other_tables(tables):
    more = ("nDCG@1", "nDCG@10", "AP", "P@5")
    wider = tables(scores("bm25", "none", "none", [""], TESTSETS, 0.3, more),
                   scores("ce", "human", "none", ["1", "2"], TESTSETS, 0.5, more))  # fmt: skip
    assert wider == tables(FIRST, TRAINED)


def test_tables_have_no_macro_average_of_one_test_set(tables):
    made = tables(FIRST, TRAINED, testsets=("faq", "bees"))
    assert [key[2] for key in keys(made["ood_table"])] == ["bees"] * 4


def test_a_macro_average_is_over_the_same_test_sets_for_all(tables):
    """A fused ranker is one system for all its first stages; a system without a test set has no average."""
    first, second = (scores(f"ce+{name}", "human", "none", ["1"], [testset], strength)
                     for name, testset, strength in (("bm25", "bees", 0.7), ("dense", "lakes", 0.5)))  # fmt: skip
    easy = scores("bm25", "none", "none", [""], ["bees"], 0.9)
    made = tables(first, second, easy, testsets=("faq", "bees", "lakes"))
    found = {(row["ranker"], row["testset"]): row["mean"] for row in rows(made["ood_table"]) if row["measure"] == "AP"}
    assert set(found) == {("ce+first-stage", "bees"), ("ce+first-stage", "lakes"), ("ce+first-stage", MACRO),
                          ("bm25", "bees")}  # fmt: skip
    whole = [float(found["ce+first-stage", name]) for name in ("bees", "lakes", MACRO)]
    assert whole[2] == pytest.approx((whole[0] + whole[1]) / 2, abs=1e-4)
    (line,) = {line for line in made["ood_markdown"].splitlines() if line.startswith("| bm25 |")}
    assert line.startswith("| bm25 | first stage | 1 | — |")
    assert "—: no macro average, because the system was not measured on every test set." in made["ood_markdown"]


def test_tables_without_a_test_set_in_distribution_have_an_empty_id_table(tables):
    made = tables(scores("ce", "human", "none", ["1"], ["bees", "lakes"], 0.5), testsets=("bees", "lakes"))
    assert made["id_table"] == HEADER + "\n"
    assert made["id_markdown"].startswith("# In distribution\n")
    assert len(rows(made["ood_table"])) == 6


def test_tables_markdown_names_missing_scores(tables):
    """Rankings of 20 passages have no Recall@100; test sets without scores are named."""
    short = [replace(row, value=None) if row.measure == "AP" else row for row in TRAINED]
    made = tables(FIRST, short)
    for text in (made["id_table"], made["ood_table"]):
        systems = {(row["ranker"], row["measure"]) for row in rows(text)}
        assert systems == {("bm25", "nDCG@10"), ("bm25", "AP"), ("ce", "nDCG@10")}
    sentence = "because the rankings are shorter than the measure's cutoff: AP of `ce` on faq, faq-dev, bees, lakes."
    assert all(sentence in " ".join(made[f"{name}_markdown"].split()) for name in ("id", "ood"))
    made = tables([row for row in FIRST if row.testset != "lakes"], TRAINED)
    assert "Not measured at all: `bm25/none/none` on lakes." in " ".join(made["ood_markdown"].split())
    assert "Not measured" not in tables(FIRST, TRAINED)["ood_markdown"]


def test_tables_markdown_has_the_numbers_of_the_csv(tables):
    made = tables(FIRST, TRAINED)
    for name, title in (("id", "# In distribution"), ("ood", "# Out of distribution")):
        text = made[f"{name}_markdown"]
        assert text.splitlines()[0] == title
        assert "[95% bootstrap interval over queries]" in " ".join(text.split())
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["nDCG@10", "AP"]
        found = {}
        for section in text.split("\n## ")[1:]:
            measure, *lines = [line for line in section.splitlines() if line]
            head = [cell.strip() for cell in lines[0].strip("|").split("|")]
            assert head[:3] == ["ranker", "training set", "seeds"]
            for line in lines[2:]:
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                for testset, cell in zip(head[3:], cells[3:], strict=True):
                    found[cells[0], cells[1], cells[2], testset.replace(" ", "-"), measure] = cell
        assert len(found) == len(rows(made[f"{name}_table"]))
        for row in rows(made[f"{name}_table"]):
            training = "first stage" if row["ranker"] == "bm25" else row["recipe"]
            cell = found[row["ranker"], training, row["seeds"], row["testset"], row["measure"]]
            mean, low, high = map(float, re.fullmatch(r"(.*) \[(.*), (.*)\]", cell).groups())
            for shown, key in ((mean, "mean"), (low, "ci_low"), (high, "ci_high")):
                assert shown == pytest.approx(float(row[key]), abs=0.00056)


def test_tables_refuse_seeds_with_different_queries(tables):
    with pytest.raises(DataError, match="ce/human/none on faq: seeds scored different queries; remove results/metrics"):
        tables(TRAINED[1:])


def noisy(ranker, recipe, llm, seeds, gain, testsets=tuple(TESTSETS), queries=9):
    """Return scores of several queries per test set, different for each system."""
    random = np.random.default_rng(len(recipe) + 7 * len(llm))
    return [
        Score(ranker, recipe, llm, seed, testset, measure, f"{testset}{place}",
              round(0.4 + gain + random.normal(0, 0.05), 6))
        for seed in seeds for testset in testsets for measure in MEASURES for place in range(queries)
    ]  # fmt: skip


COMPARED = (
    noisy("ce", "none", "none", ["1", "2"], -0.2),
    noisy("ce", "human", "none", ["1", "2"], 0.0),
    noisy("ce", "zero", "gpt", ["1", "2"], 0.2),
    noisy("ce", "zero", "gemini", ["1", "2"], 0.01),
    noisy("be", "none", "none", ["1", "2"], 0.3),
    noisy("be", "human", "none", ["1", "2"], 0.02),
    FIRST,
)


@pytest.fixture
def compared(tables, tmp_path):
    (tmp_path / "zero-recipe").mkdir()
    (tmp_path / "zero-recipe/zero.yaml").write_text(RECIPE.format("home"))
    return tables(*COMPARED, recipes=("human", "zero"), reference="human")


def test_tables_compare_every_system_with_its_ranker_trained_on_human_passages(compared, tmp_path):
    cells = read_cells(sorted(tmp_path.glob("m*.csv")), MEASURES)
    for name in ("id", "ood"):
        table = rows(compared[f"{name}_table"])
        filled = {(row["ranker"], row["recipe"], row["llm"]) for row in table if row["p"]}
        assert filled == {
            ("ce", "none", "none"),
            ("ce", "zero", "gpt"),
            ("ce", "zero", "gemini"),
            ("be", "none", "none"),
        }
        for row in table:
            if not row["p"]:
                assert (row["reference"], row["delta"], row["p_holm"]) == ("", "", "")
                continue
            assert row["reference"] == f"human/none/{row['ranker']}"
            names = ["bees", "lakes"] if row["testset"] == MACRO else [row["testset"]]
            ours, theirs = cells[row["ranker"], row["recipe"], row["llm"]], cells[row["ranker"], "human", "none"]
            pairs = [(ours[name, row["measure"]], theirs[name, row["measure"]]) for name in names]
            (found,) = compare_all([pairs], Intervals(resamples=200, seed=1))
            assert float(row["delta"]) == pytest.approx(found.delta, abs=5.1e-5)
            assert float(row["p"]) == pytest.approx(found.p, abs=5.1e-7)
            mean = next(
                float(other["mean"]) for other in table
                if (other["recipe"], other["ranker"], other["testset"], other["measure"])
                == ("human", row["ranker"], row["testset"], row["measure"])
            )  # fmt: skip
            assert float(row["delta"]) == pytest.approx(float(row["mean"]) - mean, abs=1.6e-4)


def holm(family):
    """Return Holm's p by its definition: the k-th smallest of n p times n - k + 1, at least the previous result."""
    order, adjusted, last = sorted(range(len(family)), key=family.__getitem__), [0.0] * len(family), 0.0
    for k, place in enumerate(order):
        last = adjusted[place] = max(last, min(1.0, (len(family) - k) * family[place]))
    return adjusted


def test_tables_adjust_p_within_table_ranker_and_measure(compared):
    sizes = set()
    for name in ("id", "ood"):
        families = {}
        for row in rows(compared[f"{name}_table"]):
            if row["p"]:
                families.setdefault((row["ranker"], row["measure"]), []).append(row)
        for family in families.values():
            expected = holm([float(row["p"]) for row in family])
            assert [float(row["p_holm"]) for row in family] == pytest.approx(expected, abs=1e-5)
            sizes.add((name, len(family)))
    # ce: three systems on two test sets (ood: and their average); be: one system
    assert sizes == {("id", 6), ("id", 2), ("ood", 9), ("ood", 3)}


def test_tables_markdown_marks_small_adjusted_p(compared):
    for name in ("id", "ood"):
        text, marked = compared[f"{name}_markdown"], 0
        for row in rows(compared[f"{name}_table"]):
            section = text.split(f"## {row['measure']}\n")[1].split("\n## ")[0].splitlines()
            head = next(line for line in section if line.startswith("| ranker |")).split(" | ")
            training = row["recipe"] if row["llm"] == "none" else f"{row['recipe']} by {row['llm']}"
            if row["recipe"] == "none":
                training = "first stage" if row["ranker"] == "bm25" else "untrained"
            system = f"| {row['ranker']} | {training} | "
            cells = next(line for line in section if line.startswith(system)).strip(" |").split(" | ")
            cell = cells[[name.strip(" |") for name in head].index(row["testset"].replace("-av", " av"))]
            assert float(cell.split()[0]) == pytest.approx(float(row["mean"]), abs=0.00056)
            sure = bool(row["p_holm"]) and float(row["p_holm"]) < 0.05
            assert cell.endswith("†") == sure, row
            marked += sure
        assert 0 < marked < len(rows(compared[f"{name}_table"]))
        footnote = " ".join(text.split()).split("† differs from")[1]
        assert footnote.startswith(
            " the same ranker trained on recipe `human`: p below 0.05, two-sided, adjusted by Holm's method for all "
            "such tests of this table with the same ranker and measure"
        )


def test_tables_without_a_reference_have_no_comparison(tables):
    made = tables(*COMPARED)
    assert {(row["delta"], row["p"], row["p_holm"]) for row in rows(made["ood_table"])} == {("", "", "")}
    assert "†" not in made["ood_markdown"]


def test_tables_markdown_begins_with_the_small_table(compared):
    text = compared["ood_markdown"]
    first, table = text.split("\n\n")[1:3]
    assert first == "**nDCG@10, macro average of 2 test sets, 18 queries, 2 training seeds**"
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert head == ["training set", "ce", "be"]
    assert [line[0] for line in lines] == ["bm25 (first stage)", "untrained", "human", "zero by gpt", "zero by gemini"]
    assert lines[0][1] == lines[0][2] == "0.325"
    of = {(row["ranker"], row["recipe"], row["llm"]): row for row in rows(compared["ood_table"])
          if (row["testset"], row["measure"]) == (MACRO, "nDCG@10")}  # fmt: skip
    for line, system in ((lines[1], ("none", "none")), (lines[2], ("human", "none")), (lines[3], ("zero", "gpt"))):
        row = of["ce", *system]
        sure = bool(row["p_holm"]) and float(row["p_holm"]) < 0.05
        assert line[1].endswith("†") == sure
        assert float(line[1].strip("†")) == pytest.approx(float(row["mean"]), abs=0.00056)
    assert lines[3][2] == "", "be has no such training set"
    assert "† differs significantly from the same ranker trained on human (p below 0.05, adjusted by" in text


def test_tables_compare_a_recipe_only_on_test_sets_of_the_reference(tables):
    """Test set faq is out of distribution for `other`, but in distribution for the human recipe."""
    made = tables(
        noisy("ce", "human", "none", ["1"], 0), noisy("ce", "other", "none", ["1"], 0.1),
        recipes=("human", "other"), reference="human",
    )  # fmt: skip
    other = [row for row in rows(made["ood_table"]) if row["recipe"] == "other"]
    assert {row["testset"] for row in other if row["p"]} == {"lakes"}
    assert {row["testset"] for row in other} == {"faq", "faq-dev", "lakes"}, (
        "a system without every test set has no average"
    )
    assert not any(row["p"] for row in rows(made["id_table"]))


def test_tables_treat_a_recipe_with_a_size_like_the_recipe(tables):
    made = tables(scores("ce", "human@7", "none", ["1", "2"], TESTSETS, 0.5))
    assert {key[1:3] for key in keys(made["id_table"])} == {("human@7", "faq"), ("human@7", "faq-dev")}


def test_tables_compare_rerankers_fused_or_not_with_their_first_stage(tables, tmp_path):
    (tmp_path / "ce.yaml").write_text(
        "architecture: cross-encoder\nbase: {model: m}\nmax_length: 8\nloss: lce\n"
        "optimiser: {learning_rate: 1.0, epochs: 1, batch_size: 1}\nrerank: {retriever: bm25}\n"
    )
    names = ["bees", "lakes"]
    first = [Score("bm25", "none", "none", "1", name, "nDCG@10", f"q{place}", 0.1 * place)
             for name in names for place in range(6)]  # fmt: skip
    gains = np.array([[0.2, 0.1, 0.3, 0.0, 0.25, 0.15], [0.1, 0.2, 0.3, 0.05, 0.2, 0.1]])
    own = [Score(ranker, "human", "none", str(seed), name, "nDCG@10", f"q{place}",
                 0.1 * place + gains[seed - 1, place] * (1 if "+" in ranker else -1))
           for ranker in ("ce", "ce+bm25") for seed in (1, 2) for name in names for place in range(6)]  # fmt: skip
    made = tables(first, own, testsets=names, rankers=[tmp_path / "ce.yaml"])
    of = {(row["ranker"], row["testset"]): row for row in rows(made["ood_table"])}
    assert of["bm25", "bees"]["delta_first_stage"] == of["bm25", "bees"]["p_first_stage"] == ""
    for ranker, sign in (("ce", -1), ("ce+first-stage", 1)):
        row = of[ranker, "bees"]
        assert row["first_stage"] == "bm25"
        assert float(row["delta_first_stage"]) == pytest.approx(sign * gains.mean(), abs=1e-4)
        of_queries, of_seeds = 2 * gains.mean(axis=0).var(ddof=1), 6 * gains.mean(axis=1).var(ddof=1)
        freedom = (of_queries + of_seeds) ** 2 / (of_queries**2 / 5 + of_seeds**2 / 1)
        quasi_f = 12 * gains.mean() ** 2 / (of_queries + of_seeds)
        assert float(row["p_first_stage"]) == pytest.approx(stats.f.sf(quasi_f, 1, freedom), abs=1e-6)
