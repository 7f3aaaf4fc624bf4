"""Sections of an experiment for tables: their input files, and invalid combinations."""

import json
import shutil
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.experiment import Claims
from synthrank.config.study import Study
from synthrank.errors import ConfigError

ANY = SimpleNamespace()
CLAIM = {"statement": "so", "expects": "gain", "distribution": "ood", "treatment": ["zero-shot"], "control": "human",
         "rankers": ["bi-encoder"]}  # fmt: skip
SECTIONS = ("claims", "enrichment", "sizes", "validity", "bias")


@pytest.fixture
def make(config):
    """Return a function that makes a study of the committed entities with only the given sections."""
    plain = {**read_yaml(config / "config.yaml"), **dict.fromkeys(SECTIONS), "llms": ["echo", "smollm2-135m"],
             "seeds": [1]}  # fmt: skip

    def do(folder=config, **sections):
        return Study(folder, {**plain, **sections})

    return do


def claims(**claims):
    return {"margin": 0.01, "over": ["queries"], "claims": {name: {**CLAIM, **claim} for name, claim in claims.items()}}


TESTSETS = [f"{name}-headings" for name in ("python", "sqlalchemy", "celery", "lxml", "cython")]


def scores(*systems):
    return [f"results/metrics/testsets/{testset}/{system}/seed-1.csv" for system in systems for testset in TESTSETS]


def test_claims_table_inputs_are_scores_of_treatments_controls_and_gates(make, config):
    rules = RuleInputs(make(claims=claims(
        one={}, two={"treatment": ["human-zero-shot"], "control": "zero-shot", "gate": "human@12",
                     "rankers": ["bi-encoder", "cross-encoder"]}
    )))  # fmt: skip
    assert rules("make_claims_table.metrics")(ANY) == scores(
        "none/none/bi-encoder", "zero-shot/echo/bi-encoder", "zero-shot/smollm2-135m/bi-encoder",
        "human/none/bi-encoder", "none/none/cross-encoder",
        "human-zero-shot/echo/bi-encoder", "human-zero-shot/echo/cross-encoder",
        "human-zero-shot/smollm2-135m/bi-encoder", "human-zero-shot/smollm2-135m/cross-encoder",
        "zero-shot/echo/cross-encoder", "zero-shot/smollm2-135m/cross-encoder",
        "human@12/none/bi-encoder", "human@12/none/cross-encoder",
    )  # fmt: skip
    assert "human@12" in rules.study.recipes
    assert rules("make_claims_table.recipes")(ANY) == [f"{config}/recipes/{name}.yaml" for name in
                                         ("zero-shot", "human", "human-zero-shot")]  # fmt: skip
    assert Claims.model_validate(json.loads(rules.inputs.tables.claims(ANY))) == rules.study.experiment.claims


def test_enrichment_table_inputs_are_scores_of_base_control_and_enriched(make, config):
    part = {"base": "human@12", "control": "human", "enriched": ["human-zero-shot@12"]}
    rules = RuleInputs(make(enrichment=part, rankers=["bi-encoder"]))
    assert rules("make_enrichment_table.metrics")(ANY) == scores(
        "human@12/none/bi-encoder", "human/none/bi-encoder", "human-zero-shot@12/echo/bi-encoder",
        "human-zero-shot@12/smollm2-135m/bi-encoder",
    )  # fmt: skip
    assert rules("make_enrichment_table.recipes")(ANY) == [
        f"{config}/recipes/{name}.yaml" for name in ("human", "human-zero-shot")
    ]
    assert rules.inputs.tables.enrichment(ANY).base == "human@12"
    assert rules.inputs.tables.enrichment_control(ANY) == ["human"]
    rules = RuleInputs(make(enrichment={**part, "control": None}, rankers=["bi-encoder"]))
    assert rules.inputs.tables.enrichment_control(ANY) == []
    assert len(rules("make_enrichment_table.metrics")(ANY)) == 3 * len(TESTSETS)
    rules = RuleInputs(make(enrichment={**part, "rankers": ["cross-encoder"]}, rankers=["bi-encoder", "cross-encoder"]))
    assert rules("make_enrichment_table.metrics")(ANY)[:5] == scores("human@12/none/cross-encoder")
    assert len(rules("make_enrichment_table.metrics")(ANY)) == 4 * len(TESTSETS)


def test_sizes_table_inputs_are_scores_of_every_recipe_and_size(make, config):
    rules = RuleInputs(
        make(sizes={"recipes": ["human", "zero-shot"], "queries": [5, 12]}, rankers=["bi-encoder"], llms=["echo"])
    )
    assert rules("make_sizes_table.metrics")(ANY) == scores(
        "human@5/none/bi-encoder", "human@12/none/bi-encoder", "human/none/bi-encoder", "zero-shot@5/echo/bi-encoder",
        "zero-shot@12/echo/bi-encoder", "zero-shot/echo/bi-encoder",
    )  # fmt: skip
    assert rules("make_sizes_table.specs")(ANY) == [f"{config}/recipes/{name}.yaml" for name in ("human", "zero-shot")]
    assert rules.inputs.tables.sizes(ANY).queries == (5, 12)


@pytest.mark.parametrize(
    ("name", "inputs_of"),
    [
        ("claims", lambda rules: rules.inputs.tables.claims),
        ("claims", lambda rules: rules("make_claims_table.metrics")),
        ("enrichment", lambda rules: rules.inputs.tables.enrichment),
        ("enrichment", lambda rules: rules("make_enrichment_table.metrics")),
        ("enrichment", lambda rules: rules.inputs.tables.enrichment_control),
        ("sizes", lambda rules: rules.inputs.tables.sizes),
        ("sizes", lambda rules: rules("make_sizes_table.metrics")),
    ],
)
def test_without_a_section_only_its_table_is_refused(make, name, inputs_of):
    rules = RuleInputs(make())
    assert rules("make_tables.metrics")(ANY)
    message = (
        rf"^experiment: no section '{name}', so results/tables/{name}\.csv cannot be built; see docs/passage-study\.md$"
    )
    with pytest.raises(ConfigError, match=message):
        inputs_of(rules)(ANY)
    with pytest.raises(ConfigError, match=message):
        rules.inputs.tables.recipes_of(name)(ANY)


@pytest.mark.parametrize(
    ("recipes", "reference"),
    [(["zero-shot", "human-zero-shot", "human", "human@12"], "human"), (["zero-shot", "human@12", "human"], "human@12"),
     (["warm-up", "human-zero-shot", "zero-shot"], "none")],
)  # fmt: skip
def test_reference_is_the_first_recipe_with_only_human_passages(make, recipes, reference):
    assert RuleInputs(make(recipes=recipes)).inputs.tables.reference_recipe(ANY) == reference


def test_reference_does_not_depend_on_its_name(make, config, tmp_path):
    folder = shutil.copytree(config, tmp_path / "config")
    (folder / "recipes/zero-shot.yaml").rename(folder / "recipes/people.yaml")
    shutil.copy(folder / "recipes/human.yaml", folder / "recipes/zero-shot.yaml")
    assert (
        RuleInputs(make(folder, recipes=["people", "zero-shot", "human"])).inputs.tables.reference_recipe(ANY)
        == "zero-shot"
    )


def test_recipes_with_a_size_have_the_file_of_their_base(make, config):
    rules = RuleInputs(make(recipes=["human", "human@12", "zero-shot@12"]))
    assert rules("make_tables.recipes")(ANY) == [f"{config}/recipes/{name}.yaml" for name in ("human", "zero-shot")]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"claims": {**claims(one={}), "measure": "P@5"}}, r"claims\.measure: 'P@5' is not in measures "),
        ({"claims": claims(one={}, two={"control": "nfcorpus-human"})},
         r"claims\.claims\.two: the recipes have several corpora: nfcorpus, python-headings; compare recipes of one "
          r"corpus$"),
        ({"claims": claims(one={}), "suites": ["medicine"]}, None),
        ({"claims": claims(one={"distribution": "both"}), "suites": ["medicine"]},
         r"claims\.claims\.one\.distribution: 'both' needs a test set of corpus 'python-headings'; "),
        ({"claims": {**claims(one={}), "margin": 0}}, r"claims\.margin must be more than 0; got 0$"),
        ({"claims": {**claims(one={}), "over": ["queries", "seeds"]}},
         r"claims\.over: \['queries', 'seeds'\] needs at least two training seeds, better five; "),
        ({"claims": {**claims(one={}), "first_look": 2}, "seeds": [1, 2, 3]},
         r"claims\.first_look: 2 needs over: \[queries, seeds\] and at least 2 training seeds; got "),
        ({"claims": {**claims(one={}), "over": ["queries", "seeds"], "first_look": 3}, "seeds": [1, 2]},
         r"claims\.first_look: 3 needs .* at least 3 training seeds; got over: \['queries', 'seeds'\] and 2$"),
        ({"claims": {**claims(one={}), "first_look": 1}}, r"claims\.first_look must be at least 2; got 1$"),
        ({"claims": {**claims(one={}), "over": ["seeds"]}}, r"claims\.over: state \[queries\] or "),
        ({"claims": claims(one={"distribution": "all"})}, r"claims\.claims\.one\.distribution: unknown value 'all' "),
        ({"claims": claims(one={"control": ["human", "zero-shot"]})}, r"claims\.claims\.one\.control must be "
         r"text.*; got \['human', "),
        ({"claims": claims(one={"treatment": ["human"], "control": "zero-shot"})},
         r"claims\.claims\.one\.control: 'zero-shot' has passages that are not human; "),
        ({"claims": claims(one={"gate": "human-zero-shot"})}, r"claims\.claims\.one\.gate: 'human-zero-shot' has "
         r"passages that are not human; "),
        ({"claims": claims(one={"gate": "no-such"})}, r"claims\.claims\.one\.gate: no recipe named 'no-such' in "),
        ({"claims": claims(one={"distribution": "id"}), "suites": ["medicine"]},
         r"claims\.claims\.one\.distribution: 'id' needs a test set of corpus 'python-headings'; "),
        ({"enrichment": {"base": "human", "control": "nfcorpus-human", "enriched": ["zero-shot"]}},
         "enrichment: the recipes have several corpora: nfcorpus, python-headings; compare recipes of one corpus$"),
        (
            {"sizes": {"recipes": ["human"], "queries": [3, 100000]}},
            "recipe 'human@100000': 100000 queries, but corpus 'python-headings' has 176 ",
        ),
        ({"sizes": {"recipes": ["human@12"], "queries": [3]}}, "sizes.recipes.0: invalid name 'human@12'; "),
        ({"sizes": {"recipes": ["warm-up"], "queries": [3]}}, "sizes.recipes: 'warm-up' must be a recipe"),
        ({"llms": [], "recipes": ["human"], "claims": claims(one={})}, "llms: is empty, but a recipe has generated"),
        ({"llms": [], "recipes": ["human"], "sizes": {"recipes": ["zero-shot"], "queries": [3]}}, "llms: is empty"),
    ],
)  # fmt: skip
def test_invalid_sections_are_refused_in_one_line(make, sections, message):
    if message is None:
        assert make(**sections)
        return
    with pytest.raises(ConfigError, match=f"^experiment: {message}") as error:
        make(**sections)
    assert "\n" not in str(error.value)


def test_a_claim_out_of_distribution_without_another_corpus_is_refused(make, config, tmp_path):
    folder = shutil.copytree(config, tmp_path / "config")
    (folder / "suites/home.yaml").write_text("testsets: [python-headings]\n")
    message = "'ood' needs a test set of a corpus other than 'python-headings' that no ranker's model was trained on; "
    with pytest.raises(ConfigError, match=rf"^experiment: claims\.claims\.one\.distribution: {message}"):
        make(folder, suites=["home"], claims=claims(one={}))
    assert make(folder, suites=["home"], claims=claims(one={"distribution": "id"}))


def test_unequal_pairs_without_more_pairs_are_refused(make, config, tmp_path):
    make(claims=claims(enriched={"treatment": ["human-zero-shot"]}))
    make(claims=claims(matched={"treatment": ["human-zero-shot@80"]}))
    with pytest.raises(ConfigError) as error:
        make(claims=claims(unequal={"treatment": ["zero-shot@12"]}))
    message = str(error.value)
    assert message.startswith(
        "experiment: claims.claims.unequal: compares 160 pairs of 'human' with 12 of 'zero-shot@12';"
    )
    assert "\n" not in message
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "recipes/human-zero-shot.yaml"
    path.write_text(path.read_text().replace("more_pairs: true\n", ""))
    with pytest.raises(ConfigError, match=r"compares 320 pairs of 'human-zero-shot' with 160 of 'human'.*more_pairs"):
        make(folder, claims=claims(enriched={"treatment": ["human-zero-shot"]}), recipes=["human"])
