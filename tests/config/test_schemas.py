"""The committed JSON Schemas match the models, and describe every key."""

import json
import shutil

import pytest

from synthrank.config.base import Entity
from synthrank.config.prompt_heads import FrontMatter
from synthrank.config.schemas import main, schemas
from synthrank.config.study import KINDS
from synthrank.config.variances import Variances


def test_committed_schemas_match_the_models(config):
    assert {path.name for path in (config / "schemas").iterdir()} == set(schemas())
    for name, text in schemas().items():
        assert (config / "schemas" / name).read_text(encoding="utf-8") == text, f"{name}: run make format"
    main(["--check", str(config / "schemas")])


def test_every_key_of_every_model_has_a_description():
    def models(base):
        return {base, *(model for part in base.__subclasses__() for model in models(part))}

    found = {model for model in models(Entity) if model.__module__.startswith("synthrank.config.")}
    assert found > {FrontMatter, Variances, Entity}
    missing = [
        f"{model.__name__}.{key}"
        for model in found
        for key, field in model.model_fields.items()
        if not field.description
    ]
    assert sorted(missing) == []


def test_schemas_has_one_file_per_kind_and_one_for_the_experiment():
    assert set(schemas()) == {f"{kind}.json" for kind in (*KINDS, "experiment")}
    assert json.loads(schemas()["recipes.json"])["discriminator"]["propertyName"] == "kind"
    assert json.loads(schemas()["suites.json"])["additionalProperties"] is False


def test_main_writes_files_that_pass_the_check(tmp_path):
    main([str(tmp_path)])
    main(["--check", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == set(schemas())


@pytest.mark.parametrize("drift", ["changed", "missing"])
def test_check_fails_if_a_file_differs_or_is_missing(tmp_path, config, drift):
    shutil.copytree(config / "schemas", tmp_path / "schemas")
    path = tmp_path / "schemas/rankers.json"
    if drift == "missing":
        path.unlink()
    else:
        path.write_text(path.read_text(encoding="utf-8").replace("max_length", "max_len", 1), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--check", str(tmp_path / "schemas")])
    assert ended.value.code == f"error: {path}: differs from the models; run make format"
    assert path.exists() == (drift == "changed")
