"""``config/testsets`` and ``config/suites``: the test sets of rankers."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from synthrank.config.base import CorpusName, Count, Entity, Name, Names, RetrieverName

if TYPE_CHECKING:
    from synthrank.config.rankers import Rerank


class TestsetSpec(Entity):
    """The queries and qrels of one held-out split of a corpus."""

    __test__ = False  # pytest would collect the class as a test

    corpus: CorpusName = Field(description="The corpus.")
    split: Name = Field(description="The split of the corpus.")
    relevance_level: int = Field(
        default=1,
        ge=1,
        le=100,
        description="The lowest grade that binary measures count as relevant; 2 for TREC DL passages.",
    )
    drop_identical_ids: bool = Field(
        default=False, description="Remove passages with the query's id from rankings, as ArguAna and Quora require."
    )
    passages_as: Literal["passages", "queries"] = Field(
        default="passages",
        description="The prefix of passages in bi-encoders and dense retrievers: `queries` if passages are questions, "
        "as in Quora (`doc_as_query` in E5's evaluation). All test sets of a corpus must state the same value, because "
        "the corpus is indexed once.",
    )
    first_stage: RetrieverName | None = Field(
        default=None, description="The first stage that rerankers reorder; null: as in the ranker's file."
    )
    depth: Count | None = Field(default=None, description="Passages to rerank; null: as in the ranker's file.")

    def reranked(self, rerank: "Rerank | None") -> tuple[str, int] | None:
        """Return the first stage and depth of a reranker on this test set, or None for a ranker that searches."""
        if rerank is None:
            return None
        return self.first_stage or rerank.retriever, self.depth or rerank.depth


class SuiteSpec(Entity):
    """A list of test sets. A test set in two suites of an experiment counts once."""

    testsets: Annotated[tuple[Name, ...], Names("testsets")] = Field(min_length=1, description="The test sets.")
