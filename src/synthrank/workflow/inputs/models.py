"""Inputs of the stage models."""

from pathlib import Path

from synthrank.config.models import MODEL_FILES, FolderModel
from synthrank.runtime.content_hash import ContentHashes
from synthrank.workflow.inputs.base import StageInputs, Wildcards, as_param


class ModelInputs(StageInputs):
    """Inputs of pretrained models."""

    def settings(self, wildcards: Wildcards) -> str:
        """Return the settings of a model; for a local folder, a hash of the files in it takes the place of its path.

        Files that are not copied into the model, such as pickled weights, are left out of the hash.
        """
        model = self.study.entities["models"][wildcards.model]
        if not isinstance(model, FolderModel):
            return as_param(model.model_dump(mode="json"))
        folder = Path(model.path)
        hashes = ContentHashes()
        files = {file for pattern in MODEL_FILES for file in folder.rglob(pattern) if file.is_file()}
        return as_param(model.model_dump(mode="json", exclude={"path"}) | {"content": hashes.of_files(folder, files)})
