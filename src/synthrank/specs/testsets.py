"""``config/testsets`` and ``config/suites``: what rankers are tested on."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import CorpusName, Count, Entity, Name, Names, RetrieverName
from synthrank.specs.rankers import Rerank


class TestsetSpec(Entity):
    """The queries and qrels of one held-out split of a corpus."""

    __test__ = False  # pytest would take the name for a test case

    corpus: CorpusName
    split: Name
    relevance_level: Count = Field(
        default=1, description="Lowest grade that binary measures count as relevant (2 for TREC DL passages)."
    )
    drop_identical_ids: bool = Field(
        default=False, description="Remove a passage whose id is the query's own, as ArguAna and Quora need."
    )
    passages_as: Literal["passages", "queries"] = Field(
        default="passages",
        description="Which of their two prefixes bi-encoders and dense retrievers put before passages: `queries` where "
        "passages are questions too, as Quora's are (`doc_as_query` in E5's evaluation). Without prefixes both are the "
        "same. All test sets of a corpus state the same, for a first stage indexes it once.",
    )
    first_stage: RetrieverName | None = Field(
        default=None, description="The run that rerankers reorder here; null for the one that their own file names."
    )
    depth: Count | None = Field(default=None, description="How much of it; null for what the ranker's file says.")

    def reranked(self, rerank: Rerank | None) -> tuple[str, int] | None:
        """Return the retriever whose run a ranker reorders here, and how deep; None for one that searches."""
        if rerank is None:
            return None
        return self.first_stage or rerank.retriever, self.depth or rerank.depth


class SuiteSpec(Entity):
    """Test sets that one job ranks with the model loaded once."""

    testsets: Annotated[tuple[Name, ...], Names("testsets")] = Field(min_length=1)
