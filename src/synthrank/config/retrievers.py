"""``config/retrievers``: systems that search a corpus, such as first stages."""

from typing import Annotated, Any, Literal

from pydantic import Field

from synthrank.config.base import (
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
from synthrank.config.models import PoolingMode


class Bm25(Entity):
    """BM25 by Anserini, with its defaults. The analyser uses Porter stemming and Lucene's English stop words."""

    kind: Literal["bm25"] = Field(description="The kind of retriever or index.")
    k1: float = Field(default=0.9, ge=0, description="Saturation of term frequency.")
    b: Share = Field(default=0.4, description="Strength of length normalisation.")
    depth: Count = Field(default=1000, description="Passages kept per query.")


class _Encoded(Entity):
    """Keys of retrievers that encode texts with a model."""

    model: ModelName = Field(description="The model of passages, and of queries if `query_model` is null.")
    query_model: ModelName | None = Field(
        default=None, description="The model of queries if it differs, as in DRAGON; null: `model`."
    )
    max_length: Count = Field(default=256, description="Maximum tokens per text; longer texts are cut.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Floating-point type of the model."
    )
    batch_size: Count = Field(default=32, description="Texts per batch.")
    depth: Count = Field(default=1000, description="Passages kept per query.")

    @property
    def query_encoder(self) -> str:
        """The model that encodes queries."""
        return self.query_model or self.model

    @property
    def encoding_settings(self) -> dict[str, Any]:
        """The keys that encoded passages depend on, without those of queries, index and search."""
        return self.model_dump(mode="json", exclude={"depth", "index", "query_model", "query_prefix"})


StoredType = Literal["float32", "float16"]
"""The stored type of vectors: 4 bytes per component, or 2 bytes with 11 bits of precision."""


class FlatIndex(Entity):
    """Exact search: every vector is compared with every query. A vector has 4 or 2 bytes per dimension.

    8.8 million passages with 768 dimensions take 27 GB on disk, or 13.5 GB. A search reads them in blocks of 13 MB.
    """

    kind: Literal["flat"] = Field(default="flat", description="The kind of index.")
    dtype: StoredType = Field(
        default="float32", description="Stored type; `float16` halves the index and changes the fourth digit of scores."
    )


class IvfPqIndex(Entity):
    """Approximate search with an inverted file of product-quantised codes (Jégou et al. 2011).

    A vector takes m x nbits / 8 bytes plus 8 for its id, in memory during construction and on disk during search. A
    centroid takes 4 bytes per dimension. Scores are computed from the codes.
    """

    kind: Literal["ivf-pq"] = Field(description="The kind of retriever or index.")
    nlist: Count | None = Field(
        default=None, description="Lists; null: 4 times the square root of the number of passages."
    )
    m: Count = Field(default=96, description="Codes per vector; must divide the number of dimensions.")
    nbits: int = Field(default=8, ge=4, le=12, description="Bits per code.")
    nprobe: Count = Field(default=64, description="Lists to search per query.")
    training: Count | None = Field(
        default=None, description="Passages to fit lists and codes to, in memory as float32; null: 64 per list."
    )
    seed: int = Field(default=13, ge=0, description="Seed of the sample of these passages and of the fit.")

    @property
    def dtype(self) -> StoredType:
        """The type of vectors before coding. Codes are much coarser than float16."""
        return "float16"


class HnswIndex(Entity):
    """Approximate search in a graph of near neighbours, with exact scores (Malkov & Yashunin 2018).

    A vector takes 4 or 2 bytes per dimension and about 8 x m + 20 bytes for its links, in memory during construction.
    One thread always builds the same graph. With several threads, the graph differs between runs.
    """

    kind: Literal["hnsw"] = Field(description="The kind of retriever or index.")
    m: int = Field(default=32, ge=2, description="Links per passage; twice as many on the lowest level.")
    ef_construction: Count = Field(default=200, description="Candidates for the links of a passage.")
    ef_search: Count = Field(default=256, description="Candidates per query; at least the depth.")
    dtype: StoredType = Field(default="float32", description="Stored type of vectors.")


IndexSpec = Annotated[FlatIndex | IvfPqIndex | HnswIndex, Field(discriminator="kind")]


class Dense(_Encoded):
    """Inner-product search with one vector per text from sentence-transformers, exact or by an index of faiss."""

    kind: Literal["dense"] = Field(description="The kind of retriever or index.")
    query_prefix: str = Field(default="", description="Text before every query.")
    passage_prefix: str = Field(default="", description="Text before every passage.")
    similarity: Literal["cosine", "dot"] = Field(
        default="cosine", description="Similarity of vectors; DRAGON and Contriever use `dot`."
    )
    pooling: PoolingMode | None = Field(
        default=None, description="Pooling of token vectors; null: as in the model's files, or mean."
    )
    # FlatIndex() would build a validator on every import.
    index: IndexSpec = Field(default=FlatIndex.model_construct(), description="The index of the vectors.")

    @property
    def encoding_settings(self) -> dict[str, Any]:
        """The keys that vectors of passages depend on, with their stored type."""
        return super().encoding_settings | {"stored": self.index.dtype}

    @property
    def index_settings(self) -> dict[str, Any]:
        """The keys that the index depends on, without those of a search."""
        return self.index.model_dump(mode="json", exclude={"ef_search", "nprobe"})


class Sparse(_Encoded):
    """Learned sparse retrieval (SPLADE, Formal et al. 2021) with an impact index of term weights."""

    kind: Literal["sparse"] = Field(description="The kind of retriever or index.")
    quantisation: Count = Field(
        default=100, description="Weights are multiplied by this and rounded, as in published impact indexes."
    )


class Reranked(Entity):
    """A first stage that a reranker reorders, such as BM25 + monoT5."""

    kind: Literal["reranked"] = Field(description="The kind of retriever or index.")
    retriever: RetrieverName = Field(description="The first stage.")
    ranker: RankerName = Field(description="A cross-encoder, seq2seq or decoder of config/rankers.")
    recipe: RecipeName | None = Field(
        default=None, description="The recipe that the reranker is trained on; null: the untrained base model."
    )
    seed: int = Field(default=1, description="Training seed of the checkpoint, or of a new head of the base model.")
    depth: Count = Field(default=100, description="Candidates to rerank and keep.")


class Ordered(Entity):
    """A language model's ranking of pooled candidates, as a run."""

    kind: Literal["ordered"] = Field(description="The kind of retriever or index.")
    pool: PoolName = Field(description="The candidates.")
    ranking: RankingName = Field(description="The method of ranking.")
    llm: LlmName = Field(description="The language model.")


class Recorded(Entity):
    """An external run or file of rankings."""

    kind: Literal["recorded"] = Field(description="The kind of retriever or index.")
    file: str = Field(description="File under the directory of SYNTHRANK_DATA, by default data/.")
    format: Literal["trec", "ids"] = Field(
        default="trec",
        description="`trec`: a run, ordered by scores and, for equal scores, by passage id; its ranks are not used. "
        "`ids`: JSON lines with a query id and a list of passage ids.",
    )
    query_key: str = Field(default="qid", description="The key of the query id in the format `ids`.")
    order_key: str = Field(default="final", description="The key of the ranking in the format `ids`.")
    depth: Count = Field(default=1000, description="Passages kept per query.")


RetrieverSpec = Annotated[Bm25 | Dense | Sparse | Reranked | Ordered | Recorded, Field(discriminator="kind")]
