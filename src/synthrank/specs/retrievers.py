"""``config/retrievers``: first stages."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import Count, Entity, ModelName, Share


class Bm25(Entity):
    """BM25 by Anserini. The defaults are Anserini's; analyser: Porter stemming, Lucene's English stop words."""

    kind: Literal["bm25"]
    k1: float = Field(default=0.9, ge=0)
    b: Share = 0.4
    depth: Count = Field(default=1000, description="Passages kept for each query.")


class Dense(Entity):
    """One vector a text by sentence-transformers, exact inner-product search by faiss."""

    kind: Literal["dense"]
    model: ModelName = Field(description="A file of config/models.")
    query_prefix: str = ""
    passage_prefix: str = ""
    max_length: Count = Field(default=256, description="Tokens a text is cut to.")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: Count = 32
    depth: Count = Field(default=1000, description="Passages kept for each query.")


RetrieverSpec = Annotated[Bm25 | Dense, Field(discriminator="kind")]
