"""The committed JSON Schemas are those of the models."""

import json
import shutil

import pytest

from synthrank.specs.schemas import main, schemas
from synthrank.study import KINDS


def test_the_committed_schemas_are_in_step(config):
    assert {path.name for path in (config / "schemas").iterdir()} == set(schemas())
    for name, text in schemas().items():
        assert (config / "schemas" / name).read_text(encoding="utf-8") == text, f"{name}: run make format"
    main(["--check", str(config / "schemas")])


def test_there_is_one_a_kind_and_one_for_the_experiment():
    assert set(schemas()) == {f"{kind}.json" for kind in (*KINDS, "experiment")}
    assert json.loads(schemas()["recipes.json"])["discriminator"]["propertyName"] == "kind"
    assert json.loads(schemas()["suites.json"])["additionalProperties"] is False


def test_writing_makes_what_the_check_wants(tmp_path):
    main([str(tmp_path)])
    main(["--check", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == set(schemas())


@pytest.mark.parametrize("drift", ["changed", "missing"])
def test_the_check_fails_on_drift(tmp_path, config, drift):
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
