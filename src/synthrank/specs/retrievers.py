"""``config/retrievers``: first stages, each usable wherever a run is asked for."""

from typing import Annotated, Literal

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


class Dense(_Encoded):
    """One vector a text by sentence-transformers, exact inner-product search by faiss."""

    kind: Literal["dense"]
    query_prefix: str = ""
    passage_prefix: str = ""
    similarity: Literal["cosine", "dot"] = Field(default="cosine", description="DRAGON and Contriever use `dot`.")
    pooling: Literal["mean", "cls"] | None = Field(
        default=None, description="How token vectors become one; null leaves it to the model's own files, or mean."
    )


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
