"""``config/retrievers``: first stages, each usable wherever a run is asked for."""

from typing import Annotated, Any, Literal

from pydantic import Field

from synthrank.specs.base import (
    Count,
    Entity,
    LlmName,
    ModelName,
    PoolName,
    RankerName,
    RankingName,
    RecipeName,
    RetrieverName,
    Share,
)
from synthrank.specs.models import PoolingMode


class Bm25(Entity):
    """BM25 by Anserini. The defaults are Anserini's; analyser: Porter stemming, Lucene's English stop words."""

    kind: Literal["bm25"]
    k1: float = Field(default=0.9, ge=0)
    b: Share = 0.4
    depth: Count = Field(default=1000, description="Passages kept for each query.")


class _Encoded(Entity):
    """What retrievers state that encode texts with a model."""

    model: ModelName = Field(description="A file of config/models; it encodes passages, and queries unless stated.")
    query_model: ModelName | None = Field(
        default=None, description="Another model for queries, where the two sides were trained apart, as DRAGON's were."
    )
    max_length: Count = Field(default=256, description="Tokens a text is cut to.")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: Count = 32
    depth: Count = Field(default=1000, description="Passages kept for each query.")

    @property
    def encoding_settings(self) -> dict[str, Any]:
        """What the encoded passages depend on: nothing of queries, of an index, or of a search."""
        return self.model_dump(mode="json", exclude={"depth", "index", "query_model", "query_prefix"})


StoredType = Literal["float32", "float16"]
"""How a component of a vector is stored: in 4 bytes, or in 2 with 11 bits of its fraction."""


class FlatIndex(Entity):
    """Every vector as it is, all compared with every query: exact. A vector takes 4 bytes a dimension, or 2.

    8.8 million passages with 768 dimensions are 27 GB on disk, or 13.5; a search reads them in blocks of 13 MB.
    """

    kind: Literal["flat"] = "flat"
    dtype: StoredType = Field(default="float32", description="`float16` halves the index; scores move in digit four.")


class IvfPqIndex(Entity):
    """Vectors in lists by their nearest centroid, each as product-quantised codes (Jégou et al. 2011); approximate.

    A vector takes m x nbits / 8 bytes and 8 for its number, in memory as it is built and on disk as it is searched;
    centroids take 4 bytes a dimension each. Scores are those of the codes.
    """

    kind: Literal["ivf-pq"]
    nlist: Count | None = Field(default=None, description="Lists; null is 4 times the root of the passages.")
    m: Count = Field(default=96, description="Parts of a vector, each one code; a divisor of the dimensions.")
    nbits: int = Field(default=8, ge=4, le=12, description="Of a code.")
    nprobe: Count = Field(default=64, description="Lists that a query looks into.")
    training: Count | None = Field(
        default=None, description="Passages that lists and codes are fitted to, held as float32; null is 64 a list."
    )
    seed: int = Field(default=13, ge=0, description="Draws these passages and starts the fit.")

    @property
    def dtype(self) -> StoredType:
        """The type of the vectors that are to be coded: codes are far coarser than float16."""
        return "float16"


class HnswIndex(Entity):
    """A graph of near neighbours that a query walks (Malkov & Yashunin 2018); approximate, scores exact.

    A vector takes 4 bytes a dimension, or 2, and about 8 x m + 20 for its links: all of it in memory as the index is
    built. One thread always makes the same graph; several make one that differs from run to run.
    """

    kind: Literal["hnsw"]
    m: int = Field(default=32, ge=2, description="Links of a passage, twice as many on the lowest level.")
    ef_construction: Count = Field(default=200, description="Candidates as a passage's links are chosen.")
    ef_search: Count = Field(default=256, description="Candidates as a query is answered; at least the depth.")
    dtype: StoredType = "float32"


IndexSpec = Annotated[FlatIndex | IvfPqIndex | HnswIndex, Field(discriminator="kind")]


class Dense(_Encoded):
    """One vector a text by sentence-transformers, inner-product search: exact by blocks, or approximate by faiss."""

    kind: Literal["dense"]
    query_prefix: str = ""
    passage_prefix: str = ""
    similarity: Literal["cosine", "dot"] = Field(default="cosine", description="DRAGON and Contriever use `dot`.")
    pooling: PoolingMode | None = Field(
        default=None, description="How token vectors become one; null leaves it to the model's own files, or mean."
    )
    index: IndexSpec = FlatIndex()

    @property
    def encoding_settings(self) -> dict[str, Any]:
        """What the vectors of passages depend on, the type that they are stored in included."""
        return super().encoding_settings | {"stored": self.index.dtype}

    @property
    def index_settings(self) -> dict[str, Any]:
        """What the index depends on beside the vectors: nothing of a search."""
        return self.index.model_dump(mode="json", exclude={"ef_search", "nprobe"})


class Sparse(_Encoded):
    """Learned sparse retrieval (SPLADE, Formal et al. 2021): term weights by sentence-transformers, impact index."""

    kind: Literal["sparse"]
    quantisation: Count = Field(
        default=100, description="Weights are multiplied by this and rounded, as the published impact indexes do."
    )


class Reranked(Entity):
    """A first stage whose top is reordered by a pointwise reranker, such as BM25 + monoT5."""

    kind: Literal["reranked"]
    retriever: RetrieverName
    ranker: RankerName = Field(description="A cross-encoder or sequence-to-sequence reranker.")
    recipe: RecipeName | None = Field(default=None, description="What trained it; null for its base model as it is.")
    seed: int = Field(default=1, description="Training seed of the checkpoint, or of the head that the base lacks.")
    depth: Count = Field(default=100, description="Candidates that are reordered and kept.")


class Ordered(Entity):
    """The order that a language model gives to pooled candidates, as a run."""

    kind: Literal["ordered"]
    pool: PoolName
    ranking: RankingName
    llm: LlmName


class Recorded(Entity):
    """A run, or lists of a ranker, that others made and published."""

    kind: Literal["recorded"]
    file: str = Field(description="Under the directory that SYNTHRANK_DATA names (default data/).")
    format: Literal["trec", "ids"] = Field(
        default="trec", description="`trec`: six columns; `ids`: JSON lines with a query id and a list of passage ids."
    )
    query_key: str = Field(default="qid", description="Where the format is `ids`: the key of the query id.")
    order_key: str = Field(default="final", description="Where the format is `ids`: the key of the list, best first.")
    depth: Count = Field(default=1000, description="Passages kept for each query.")


RetrieverSpec = Annotated[Bm25 | Dense | Sparse | Reranked | Ordered | Recorded, Field(discriminator="kind")]
