"""Names of experiments."""

import re

import pytest

from synthrank.config.base import read_yaml, validate
from synthrank.config.experiment import RESERVED, STAGES, Experiment
from synthrank.errors import ConfigError


def named(study, name):
    return validate(Experiment, {**study.experiment.model_dump(), "name": name}, "experiment")


def test_shipped_experiments_have_the_names_of_their_files_and_the_default_has_no_name(config):
    paths = [*config.glob("*.yaml"), *config.glob("experiments/*.yaml")]
    names = {path.stem: read_yaml(path).get("name") for path in paths}
    assert len(names) == len(paths) > 10, "no two files have one stem"
    assert names.pop("config") is None
    assert names == {stem: stem for stem in names}


def test_folder_is_the_name_and_a_slash(study):
    assert named(study, None).folder == ""
    assert named(study, "gpt-4.1").folder == "gpt-4.1/"


def test_the_stages_are_those_of_the_rules(root):
    assert {path.stem for path in root.glob("rules/*.smk")} - {"common", "root", "running"} == STAGES


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_name_is_refused(study, name):
    with pytest.raises(ConfigError, match=rf"^experiment: name: results/{re.escape(name)} belongs to the workflow; "):
        named(study, name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "Study", "a b", "{x}", "-a"])
def test_an_invalid_name_is_refused(study, name):
    with pytest.raises(ConfigError, match=r"^experiment: name: invalid name '.*'; use lower-case letters"):
        named(study, name)
