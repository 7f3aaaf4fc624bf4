import json
import re
import shutil
import zipfile
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tiny_models import tiny_encoder, tiny_llm

from synthrank.config.llms import LocalLlm, Sampling
from synthrank.data.files import sha256_of
from synthrank.data.records import Message, Request
from synthrank.errors import ChecksumError, ConfigError, DataError, FetchError, ModelError
from synthrank.llms import open_llm
from synthrank.steps.models import unpack_model as module
from synthrank.steps.models.unpack_model import unpack_model

ROOT = Path(__file__).parents[3]
TEXTS = ["How do I install the package?", "Bees dance to tell where flowers are.", "unseenword"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny_encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture
def spec(tmp_path):
    def write(**entity):
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(entity))
        return path

    return write


def names(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "source.json"
    )


def packed(folder, archive):
    """Write a wheel with the folder as ``carrier/model``, and with code that must not be unpacked."""
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("carrier/__init__.py", "raise SystemExit('was run')\n")
        file.writestr("carrier/model/loader.py", "raise SystemExit('was run')\n")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, f"carrier/model/{path.relative_to(folder)}")
    return archive


def package(archive):
    """Return an entity that names the archive, and a replacement for its download."""

    def fetch(name, version, sha256, folder):
        return Path(shutil.copy(archive, folder))

    entity = {"source": "package", "package": "carrier", "version": "1.0", "archive_sha256": "0" * 64}
    return {**entity, "folder": "carrier/model"}, fetch


def test_unpack_model_copies_a_folder_with_the_same_vectors(encoder, spec, tmp_path):
    target = tmp_path / "results" / "tiny"
    unpack_model(spec=spec(source="folder", path=str(encoder)), model=target)
    assert names(target) == names(encoder)
    source = json.loads((target / "source.json").read_text())
    assert source["weights"] == {"model.safetensors": sha256_of(encoder / "model.safetensors")}
    assert source["entity"]["source"] == "folder"
    assert not (target / "model.safetensors").is_symlink()
    ours, theirs = (SentenceTransformer(str(folder), device="cpu").encode(TEXTS) for folder in (target, encoder))
    assert ours.shape == (3, 32)
    np.testing.assert_array_equal(ours, theirs)


def test_unpack_model_checks_stated_checksums(encoder, spec, tmp_path):
    right = sha256_of(encoder / "model.safetensors")
    unpack_model(
        spec=spec(source="folder", path=str(encoder), sha256={"model.safetensors": right}), model=tmp_path / "right"
    )
    with pytest.raises(ChecksumError, match=r"model\.safetensors: sha256 is .*tiny\.yaml states 0000"):
        unpack_model(
            spec=spec(source="folder", path=str(encoder), sha256={"model.safetensors": "0" * 64}),
            model=tmp_path / "wrong",
        )
    with pytest.raises(DataError, match=r"weights\.safetensors is not in"):
        unpack_model(
            spec=spec(source="folder", path=str(encoder), sha256={"weights.safetensors": right}),
            model=tmp_path / "absent",
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["right", "tiny.yaml"]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_unpack_model_refuses_pickled_weights_without_reading_them(encoder, spec, tmp_path, name):
    pickled = shutil.copytree(encoder, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / name)
    with pytest.raises(ModelError, match=rf"tiny\.yaml: the weights are pickled \({name}\)"):
        unpack_model(spec=spec(source="folder", path=str(pickled)), model=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unpack_model_skips_pickled_weights_next_to_safetensors(encoder, spec, tmp_path):
    both = shutil.copytree(encoder, tmp_path / "both")
    (both / "pytorch_model.bin").write_bytes(b"anything")
    (both / "modeling.py").write_text("raise SystemExit('was run')\n")
    unpack_model(spec=spec(source="folder", path=str(both)), model=tmp_path / "out")
    assert names(tmp_path / "out") == names(encoder)


def test_a_model_whose_configuration_names_code_is_loaded_without_it(encoder, spec, tmp_path):
    hostile = shutil.copytree(encoder, tmp_path / "hostile")
    witness = tmp_path / "was-run"
    for name in ("modeling_evil.py", "tokenization_evil.py"):
        (hostile / name).write_text(f"open({str(witness)!r}, 'w')\n")
    code = {"AutoModel": "modeling_evil.Evil", "AutoConfig": "modeling_evil.Config"}
    for name, more in (
        ("config.json", code),
        ("tokenizer_config.json", {"AutoTokenizer": ["tokenization_evil.T", None]}),
    ):
        path = hostile / name
        path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": more}))
    unpack_model(spec=spec(source="folder", path=str(hostile)), model=tmp_path / "out")
    assert SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(TEXTS).shape == (3, 32)
    assert [path.name for path in (tmp_path / "out").rglob("*.py")] == []
    assert not witness.exists()


@pytest.mark.parametrize(
    ("absent", "message"),
    [("config.json", "no config.json"), ("model.safetensors", "no safetensors"), ("tokenizer.json", "no tokenizer")],
)
def test_unpack_model_refuses_a_folder_without_a_model(encoder, spec, tmp_path, absent, message):
    part = shutil.copytree(encoder, tmp_path / "part")
    (part / absent).unlink()
    with pytest.raises(ModelError, match=message):
        unpack_model(spec=spec(source="folder", path=str(part)), model=tmp_path / "out")


def change(path, content):
    """Write bytes, or keep the first part of the file if ``content`` is a number."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(path.read_bytes()[:content] if isinstance(content, int) else content)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 90868376\n"
DAMAGED = [
    ("model.safetensors", POINTER, "is a pointer of Git LFS"),
    ("model.safetensors", b"", "is empty"),
    ("model.safetensors", 4, "is not a whole safetensors file"),
    ("model.safetensors", 200, "is not a whole safetensors file"),
    ("model.safetensors", -1, "is not a whole safetensors file"),
    ("model.safetensors", b"\x80\x02}q\x00." + bytes(100), "is not a whole safetensors file"),
    ("model.safetensors", b"PK\x03\x04" + bytes(100), "is not a whole safetensors file"),
    ("model.safetensors", b"<html>404</html>", "is not a whole safetensors file"),
    ("config.json", POINTER, "is a pointer of Git LFS"),
    ("config.json", b"", "is empty"),
    ("config.json", b'{"model_type": "bert",', "cannot be read as JSON"),
    ("config.json", b"\xff\xfe{}", "cannot be read as JSON"),
    ("config.json", b"[" * 100_000, "cannot be read as JSON"),
    ("tokenizer.json", POINTER, "is a pointer of Git LFS"),
    ("tokenizer.json", 300, "cannot be read as JSON"),
    ("tokenizer_config.json", b"{'a': 1}", "cannot be read as JSON"),
    ("vocab.txt", POINTER, "is a pointer of Git LFS"),
    ("spiece.model", b"", "is empty"),
    ("1_Pooling/config.json", b"{", "cannot be read as JSON"),
    ("model.safetensors.index.json", b'{"weight_map": {"a": "model-1.safetensors"}}', "names model-1.safetensors"),
    ("model.safetensors.index.json", b'{"weight_map": {}}', "names no file"),
    ("model.safetensors.index.json", b"[]", "names no file"),
]


@pytest.mark.parametrize(("name", "content", "message"), DAMAGED)
def test_unpack_model_refuses_a_damaged_file_on_one_line(encoder, spec, tmp_path, name, content, message):
    damaged = shutil.copytree(encoder, tmp_path / "damaged")
    change(damaged / name, content)
    with pytest.raises(ModelError, match=rf"tiny\.yaml: {re.escape(name)} {re.escape(message)}") as caught:
        unpack_model(spec=spec(source="folder", path=str(damaged)), model=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_unpack_model_refuses_a_module_whose_weights_are_pickled(encoder, spec, tmp_path):
    whole = shutil.copytree(encoder, tmp_path / "dense")
    kept = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    ]
    change(whole / "modules.json", json.dumps(kept).encode())
    change(whole / "1_Pooling/config.json", b"{}")
    change(whole / "2_Dense/config.json", b"{}")
    change(whole / "2_Dense/pytorch_model.bin", b"anything")
    with pytest.raises(ModelError, match=r"tiny\.yaml: 2_Dense: the module has no safetensors; pickled weights"):
        unpack_model(spec=spec(source="folder", path=str(whole)), model=tmp_path / "out")


def test_unpack_model_names_a_missing_folder(spec, tmp_path):
    with pytest.raises(FetchError, match=r"tiny\.yaml: path: .*nowhere is not a folder"):
        unpack_model(spec=spec(source="folder", path=str(tmp_path / "nowhere")), model=tmp_path / "out")


def test_unpack_model_keeps_the_previous_model_on_failure(encoder, spec, tmp_path):
    unpack_model(spec=spec(source="folder", path=str(encoder)), model=tmp_path / "out")
    with pytest.raises(FetchError):
        unpack_model(spec=spec(source="folder", path=str(tmp_path / "nowhere")), model=tmp_path / "out")
    assert names(tmp_path / "out") == names(encoder)


def test_unpack_model_extracts_the_model_folder_of_a_package(encoder, spec, tmp_path, monkeypatch):
    entity, fetch = package(packed(encoder, tmp_path / "carrier-1.0-py3-none-any.whl"))
    asked = []
    monkeypatch.setattr(module, "fetch_archive", lambda *of: asked.append(of[:3]) or fetch(*of))
    unpack_model(spec=spec(**{**entity, "folder": "*/model"}), model=tmp_path / "out")
    assert asked == [("carrier", "1.0", "0" * 64)]
    assert names(tmp_path / "out") == names(encoder)


def test_unpack_model_names_a_folder_or_gguf_missing_in_the_package(encoder, spec, tmp_path, monkeypatch):
    entity, fetch = package(packed(encoder, tmp_path / "carrier-1.0-py3-none-any.whl"))
    monkeypatch.setattr(module, "fetch_archive", fetch)
    with pytest.raises(DataError, match="carrier/weights"):
        unpack_model(spec=spec(**{**entity, "folder": "carrier/weights"}), model=tmp_path / "out")
    with pytest.raises(DataError, match=r"gguf: a\.gguf is not in carrier/model .*GGUF files there: none"):
        unpack_model(spec=spec(**entity, gguf="a.gguf"), model=tmp_path / "out")


def test_unpack_model_downloads_safe_files_of_one_revision(encoder, spec, tmp_path, monkeypatch):
    asked = {}

    def download(repo, *, local_dir, **options):
        asked.update(options, repo=repo)
        shutil.copytree(encoder, local_dir)
        (local_dir / ".cache" / "huggingface").mkdir(parents=True)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    unpack_model(spec=spec(source="hub", repo="someone/encoder", revision="abc123"), model=tmp_path / "out")
    assert (asked["repo"], asked["revision"]) == ("someone/encoder", "abc123")
    assert not {"*", "*.bin", "*.py", "*.pt"} & set(asked["allow_patterns"])
    assert names(tmp_path / "out") == names(encoder)
    assert not (tmp_path / "out" / ".cache").exists()


def test_unpack_model_refuses_a_hub_model_without_safetensors(encoder, spec, tmp_path, monkeypatch):
    def download(repo, *, local_dir, **_):
        shutil.copytree(encoder, local_dir, ignore=shutil.ignore_patterns("*.safetensors"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(ModelError, match=r"tiny\.yaml: .*no safetensors; pickled weights are not loaded"):
        unpack_model(spec=spec(source="hub", repo="someone/encoder", revision="main"), model=tmp_path / "out")


def test_unpack_model_reports_an_unreachable_hub_on_one_line(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FetchError, match=r"^someone/encoder at main: download from the model hub failed") as caught:
        unpack_model(spec=spec(source="hub", repo="someone/encoder", revision="main"), model=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_unpack_model_reports_a_malformed_repository_on_one_line(spec, tmp_path):
    with pytest.raises(FetchError, match=r"^a/b/c at main: .*HFValidationError"):
        unpack_model(spec=spec(source="hub", repo="a/b/c", revision="main"), model=tmp_path / "out")


def test_unpack_model_refuses_an_unknown_source(spec, tmp_path):
    with pytest.raises(ConfigError, match=r"tiny\.yaml"):
        unpack_model(spec=spec(source="floppy"), model=tmp_path / "out")


def test_tiny_models_are_deterministic(encoder, tmp_path):
    for made, again in (
        (encoder, tiny_encoder(tmp_path / "encoder")),
        (tiny_llm(tmp_path / "one"), tiny_llm(tmp_path / "two")),
    ):
        assert {name: sha256_of(made / name) for name in names(made)} == {
            name: sha256_of(again / name) for name in names(again)
        }
    assert {value.dtype for value in load_file(encoder / "model.safetensors").values()} == {torch.float32}


@pytest.mark.network
def test_unpack_model_converts_smollm2_and_generates(packaged_llm):
    target = packaged_llm
    weights = load_file(target / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float32}
    # 272 tensors in the GGUF file; the output embedding is tied to the input's and not stored twice
    assert len(weights) == 272
    assert sum(value.numel() for value in weights.values()) == 134_515_008
    assert "quantization_config" not in (target / "config.json").read_text()
    model = open_llm(
        LocalLlm(backend="local", model="smollm2-135m", sampling=Sampling(temperature=0.0, max_new_tokens=8)), target
    )
    question = (Message("user", "What is the capital of France? Answer with one word."),)
    (reply,) = model.generate([Request("q1", "capital", question)])
    assert "Paris" in reply.text
    right, wrong = model.score([(question, "Paris"), (question, "Berlin")])
    assert wrong < right < 0


@pytest.mark.network
def test_unpack_model_extracts_all_minilm_and_ranks(tmp_path):
    target = tmp_path / "all-minilm-l6-v2"
    unpack_model(spec=ROOT / "config/models/all-minilm-l6-v2.yaml", model=target)
    model = SentenceTransformer(str(target), device="cpu")
    query, near, far = model.encode(["why do bees dance", "Bees dance to show where nectar is.", "Bread needs yeast."])
    assert np.linalg.norm(query) == pytest.approx(1.0, abs=1e-5)
    assert query.shape == (384,)
    assert query @ near > 0.5 > query @ far
