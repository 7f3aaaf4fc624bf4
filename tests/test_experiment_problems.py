"""Sections of an experiment that its tables are made from: which files they need, and what does not fit together."""

import json
import shutil
from types import SimpleNamespace

import pytest

from synthrank.errors import ConfigError
from synthrank.needs import Needs
from synthrank.specs.base import read_yaml
from synthrank.specs.experiment import Claims
from synthrank.study import Study

ANY = SimpleNamespace()
CLAIM = {"statement": "so", "expects": "gain", "distribution": "ood", "treatment": ["zero-shot"], "control": "human",
         "rankers": ["bi-encoder"]}  # fmt: skip
SECTIONS = ("claims", "enrichment", "sizes", "validity", "bias")


@pytest.fixture
def make(config):
    """Return a function that makes a study of the committed entities, with no sections but those given."""
    plain = {**read_yaml(config / "config.yaml"), **dict.fromkeys(SECTIONS), "llms": ["echo", "smollm2-135m"],
             "seeds": [1]}  # fmt: skip

    def do(folder=config, **sections):
        return Study(folder, {**plain, **sections})

    return do


def claims(**claims):
    return {"margin": 0.01, "over": ["queries"], "claims": {name: {**CLAIM, **claim} for name, claim in claims.items()}}


def suites(*systems):
    return [f"results/metrics/suites/headings/{system}/seed-1.csv" for system in systems]


def test_what_claims_are_made_from(make, config):
    needs = Needs(make(claims=claims(
        one={}, two={"treatment": ["human-zero-shot"], "control": "zero-shot", "gate": "human@12",
                     "rankers": ["bi-encoder", "cross-encoder"]}
    )))  # fmt: skip
    assert needs.claims_metrics(ANY) == suites(
        "none/none/bi-encoder", "zero-shot/echo/bi-encoder", "zero-shot/smollm2-135m/bi-encoder",
        "human/none/bi-encoder", "none/none/cross-encoder",
        "human-zero-shot/echo/bi-encoder", "human-zero-shot/echo/cross-encoder",
        "human-zero-shot/smollm2-135m/bi-encoder", "human-zero-shot/smollm2-135m/cross-encoder",
        "zero-shot/echo/cross-encoder", "zero-shot/smollm2-135m/cross-encoder",
        "human@12/none/bi-encoder", "human@12/none/cross-encoder",
    )  # fmt: skip
    assert "human@12" in needs.study.recipes
    assert needs.recipes_of("claims")(ANY) == [f"{config}/recipes/{name}.yaml" for name in
                                         ("zero-shot", "human", "human-zero-shot")]  # fmt: skip
    assert Claims.model_validate(json.loads(needs.claims(ANY))) == needs.study.experiment.claims


def test_what_enrichment_is_made_from(make, config):
    part = {"base": "human@12", "control": "human", "enriched": ["human-zero-shot@12"]}
    needs = Needs(make(enrichment=part, rankers=["bi-encoder"]))
    assert needs.enrichment_metrics(ANY) == suites(
        "human@12/none/bi-encoder", "human/none/bi-encoder", "human-zero-shot@12/echo/bi-encoder",
        "human-zero-shot@12/smollm2-135m/bi-encoder",
    )  # fmt: skip
    assert needs.recipes_of("enrichment")(ANY) == [
        f"{config}/recipes/{name}.yaml" for name in ("human", "human-zero-shot")
    ]
    assert needs.enrichment(ANY).base == "human@12"
    assert needs.enrichment_control(ANY) == ["human"]
    needs = Needs(make(enrichment={**part, "control": None}, rankers=["bi-encoder"]))
    assert needs.enrichment_control(ANY) == []
    assert len(needs.enrichment_metrics(ANY)) == 3
    needs = Needs(make(enrichment={**part, "rankers": ["cross-encoder"]}, rankers=["bi-encoder", "cross-encoder"]))
    assert needs.enrichment_metrics(ANY)[0] == "results/metrics/suites/headings/human@12/none/cross-encoder/seed-1.csv"
    assert len(needs.enrichment_metrics(ANY)) == 4


def test_what_sizes_are_made_from(make, config):
    needs = Needs(
        make(sizes={"recipes": ["human", "zero-shot"], "queries": [5, 12]}, rankers=["bi-encoder"], llms=["echo"])
    )
    assert needs.sizes_metrics(ANY) == suites(
        "human@5/none/bi-encoder", "human@12/none/bi-encoder", "human/none/bi-encoder", "zero-shot@5/echo/bi-encoder",
        "zero-shot@12/echo/bi-encoder", "zero-shot/echo/bi-encoder",
    )  # fmt: skip
    assert needs.recipes_of("sizes")(ANY) == [f"{config}/recipes/{name}.yaml" for name in ("human", "zero-shot")]
    assert needs.sizes(ANY).queries == (5, 12)


@pytest.mark.parametrize(
    "ask",
    ["claims", "claims_metrics", "enrichment", "enrichment_metrics", "enrichment_control", "sizes", "sizes_metrics"],
)
def test_without_a_section_only_its_table_is_refused(make, ask):
    needs = Needs(make())
    assert needs.metrics
    name = ask.split("_")[0]
    said = rf"^experiment: {name}: is missing; results/tables/{name}\.csv needs it$"
    with pytest.raises(ConfigError, match=said):
        getattr(needs, ask)(ANY)
    with pytest.raises(ConfigError, match=said):
        needs.recipes_of(name)(ANY)


@pytest.mark.parametrize(
    ("recipes", "reference"),
    [(["zero-shot", "human-zero-shot", "human", "human@12"], "human"), (["zero-shot", "human@12", "human"], "human@12"),
     (["warm-up", "human-zero-shot", "zero-shot"], "none")],
)  # fmt: skip
def test_the_reference_is_the_first_recipe_of_human_passages_alone(make, recipes, reference):
    assert Needs(make(recipes=recipes)).reference_recipe(ANY) == reference


def test_the_reference_is_not_known_by_its_name(make, config, tmp_path):
    folder = shutil.copytree(config, tmp_path / "config")
    (folder / "recipes/zero-shot.yaml").rename(folder / "recipes/people.yaml")
    shutil.copy(folder / "recipes/human.yaml", folder / "recipes/zero-shot.yaml")
    assert Needs(make(folder, recipes=["people", "zero-shot", "human"])).reference_recipe(ANY) == "zero-shot"


def test_recipes_of_other_sizes_have_the_file_of_their_base(make, config):
    needs = Needs(make(recipes=["human", "human@12", "zero-shot@12"]))
    assert needs.recipes_of("main")(ANY) == [f"{config}/recipes/{name}.yaml" for name in ("human", "zero-shot")]


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"claims": {**claims(one={}), "measure": "P@5"}}, r"claims\.measure: got 'P@5'; no run is measured by it"),
        ({"claims": claims(one={}, two={"control": "nfcorpus-human"})},
         r"claims\.claims\.two: its recipes are of corpora nfcorpus, python-headings; compare recipes of one corpus$"),
        ({"claims": claims(one={}), "suites": ["medicine"]}, None),
        ({"claims": claims(one={"distribution": "both"}), "suites": ["medicine"]},
         r"claims\.claims\.one\.distribution: got 'both'; no suite has a test set of 'python-headings'$"),
        ({"claims": {**claims(one={}), "margin": 0}}, r"claims\.margin: got 0; input should be greater than 0$"),
        ({"claims": {**claims(one={}), "over": ["queries", "seeds"]}},
         r"claims\.over: got \['queries', 'seeds'\]; with 1 training seed nothing is known of others: state "),
        ({"claims": {**claims(one={}), "first_look": 2}, "seeds": [1, 2, 3]},
         r"claims\.first_look: got 2; it takes claims over \[queries, seeds\] and at least as many training seeds, "),
        ({"claims": {**claims(one={}), "over": ["queries", "seeds"], "first_look": 3}, "seeds": [1, 2]},
         r"claims\.first_look: got 3; it takes claims over .* not 2 over \['queries', 'seeds'\]; or state null$"),
        ({"claims": {**claims(one={}), "first_look": 1}}, r"claims\.first_look: got 1; input should be greater than "),
        ({"claims": {**claims(one={}), "over": ["seeds"]}}, r"claims\.over: got \['seeds'\]; state \[queries\] or "),
        ({"claims": claims(one={"distribution": "all"})}, r"claims\.claims\.one\.distribution: got 'all'; input "),
        ({"claims": claims(one={"control": ["human", "zero-shot"]})}, r"claims\.claims\.one\.control: got \['human', "),
        ({"claims": claims(one={"treatment": ["human"], "control": "zero-shot"})},
         r"claims\.claims\.one\.control: got 'zero-shot'; whether training helps is seen of human "),
        ({"claims": claims(one={"gate": "human-zero-shot"})}, r"claims\.claims\.one\.gate: got 'human-zero-shot'; "),
        ({"claims": claims(one={"gate": "no-such"})}, r"claims\.claims\.one\.gate: got 'no-such'; no such file in "),
        ({"claims": claims(one={"distribution": "id"}), "suites": ["medicine"]},
         r"claims\.claims\.one\.distribution: got 'id'; no suite has a test set of 'python-headings'$"),
        ({"enrichment": {"base": "human", "control": "nfcorpus-human", "enriched": ["zero-shot"]}},
         "enrichment: its recipes are of corpora nfcorpus, python-headings; compare recipes of one corpus$"),
        (
            {"sizes": {"recipes": ["human"], "queries": [3, 100000]}},
            "recipe 'human@100000': asks for 100000 queries, but corpus 'python-headings' has 176 ",
        ),
        ({"sizes": {"recipes": ["human@12"], "queries": [3]}}, "sizes.recipes.0: got 'human@12'; "),
        ({"sizes": {"recipes": ["warm-up"], "queries": [3]}}, "sizes.recipes: got 'warm-up'; it must be a recipe"),
        ({"llms": [], "recipes": ["human"], "claims": claims(one={})}, "llms: is empty, but a recipe has generated"),
        ({"llms": [], "recipes": ["human"], "sizes": {"recipes": ["zero-shot"], "queries": [3]}}, "llms: is empty"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_one_line(make, sections, said):
    if said is None:
        assert make(**sections)
        return
    with pytest.raises(ConfigError, match=f"^experiment: {said}") as error:
        make(**sections)
    assert "\n" not in str(error.value)


def test_no_other_corpus_means_nothing_is_out_of_distribution(make, config, tmp_path):
    folder = shutil.copytree(config, tmp_path / "config")
    (folder / "suites/home.yaml").write_text("testsets: [python-headings]\n")
    unseen = "no suite has a test set that no ranker's model saw before"
    said = f"got 'ood'; {unseen}, of another corpus than 'python-headings'$"
    with pytest.raises(ConfigError, match=rf"^experiment: claims\.claims\.one\.distribution: {said}"):
        make(folder, suites=["home"], claims=claims(one={}))
    assert make(folder, suites=["home"], claims=claims(one={"distribution": "id"}))


def test_unequal_pairs_are_refused_unless_a_recipe_is_meant_to_have_more(make, config, tmp_path):
    make(claims=claims(enriched={"treatment": ["human-zero-shot"]}))
    make(claims=claims(matched={"treatment": ["human-zero-shot@80"]}))
    with pytest.raises(ConfigError) as error:
        make(claims=claims(unequal={"treatment": ["zero-shot@12"]}))
    said = str(error.value)
    assert said.startswith(
        "experiment: claims.claims.unequal: compares 160 pairs of 'human' with 12 of 'zero-shot@12';"
    )
    assert "\n" not in said
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "recipes/human-zero-shot.yaml"
    path.write_text(path.read_text().replace("more_pairs: true\n", ""))
    with pytest.raises(ConfigError, match=r"compares 320 pairs of 'human-zero-shot' with 160 of 'human'.*more_pairs"):
        make(folder, claims=claims(enriched={"treatment": ["human-zero-shot"]}), recipes=["human"])
