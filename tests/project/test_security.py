"""Check the source against SECURITY.md; ruff checks eval, exec, shells, unsafe YAML and modules that unpickle.

Tests that run untrusted data through the code are with the tests of each stage.
"""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")])


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def keywords(call: ast.Call) -> dict[str, object]:
    return {item.arg: getattr(item.value, "value", None) for item in call.keywords if item.arg}


ALL = [(path, call, ast.unparse(call.func)) for path in SOURCES for call in calls(path)]


def test_there_is_source() -> None:
    assert len(ALL) > 3000


def test_nothing_pickled_is_loaded() -> None:
    for path, call, name in ALL:
        if name in ("np.load", "numpy.load"):
            assert keywords(call).get("allow_pickle") is False, path
        assert name not in ("torch.load", "pd.read_pickle", "pandas.read_pickle"), path


def test_no_code_of_a_models_repository_is_run() -> None:
    for path, call, name in ALL:
        found = keywords(call)
        assert found.get("trust_remote_code", False) is False, path
        assert found.get("allow_pickle", False) is False, path
        assert found.get("weights_only", True) is True, path
        if name.endswith("Model") or "AutoModel" in name:
            assert found.get("use_safetensors", True) is True, path


def test_only_weights_and_words_of_a_model_are_kept() -> None:
    from synthrank.config.models import MODEL_FILES
    from synthrank.steps.models.unpack_model import PICKLED

    kept = {Path(pattern).suffix for pattern in MODEL_FILES}
    assert kept == {".safetensors", ".json", ".txt", ".model", ".jinja"}
    assert not kept & {Path(pattern).suffix for pattern in PICKLED}


def test_no_text_is_compiled_and_no_shell_started() -> None:
    """Ruff has no rule against compile and __import__, and a noqa comment would hide the others."""
    for path, call, name in ALL:
        assert name not in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"), path
        assert keywords(call).get("shell", False) is False, path


def test_yaml_is_read_by_a_safe_loader() -> None:
    from synthrank.config.yaml_files import _Loader

    assert issubclass(_Loader, yaml.CSafeLoader)
    for path, call, name in ALL:
        if name.startswith("yaml.") and "load" in name:
            assert name == "yaml.safe_load" or keywords(call).keys() == {"Loader"}, path
            assert all(ast.unparse(item.value) == "_Loader" for item in call.keywords), path


def test_archives_are_unpacked_as_plain_bytes() -> None:
    """Only bytes of plain members with checked names are read: no owner, mode, link or device."""
    assert not [path for path, _, name in ALL if re.search(r"\.(extract|extractall|unpack_archive)$", name)]
    assert {path.name for path, _, name in ALL if name.endswith(".extractfile")} == {"archives.py"}


def test_prompts_are_sandboxed() -> None:
    """All other templates belong to the project."""
    names = {name for path, _, name in ALL if path.name == "prompts.py"}
    assert "SandboxedEnvironment" in names
    assert not {name for name in names if name.split(".")[-1] in ("Environment", "Template")}


def test_servers_of_tests_listen_on_the_loopback_address_only() -> None:
    """A test's server has no password, so no other machine may reach it. Sockets of files have no address."""
    listening = re.compile(r"(\.bind|start_server|HTTPServer)$")
    paths = [path for name in ("benchmarks", "scripts", "src", "tests") for path in (ROOT / name).rglob("*.py")]
    found = [
        (path, ast.unparse(call)) for path in paths for call in calls(path) if listening.search(ast.unparse(call.func))
    ]
    assert len(found) >= 4
    for path, text in found:
        assert "'127.0.0.1'" in text or text == "listener.bind(place)", f"{path}: {text}"


@pytest.mark.parametrize("path", sorted((ROOT / "config/llms").glob("*.yaml")), ids=lambda path: path.stem)
def test_files_of_language_models_name_a_variable_and_hold_no_key(path: Path) -> None:
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert not {name for name in spec if "key" in name} - {"key_variable", "token_limit_key"}
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", spec.get("key_variable", "NONE"))
    assert not re.search(r"sk-[A-Za-z0-9]{16}|AIza[A-Za-z0-9_-]{20}", path.read_text(encoding="utf-8"))


def test_the_page_names_this_test() -> None:
    assert f"tests/project/{Path(__file__).name}" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
