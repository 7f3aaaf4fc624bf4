"""``config/corpora``: where a collection comes from, how it is split, and what it must count."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from synthrank.specs.base import CorpusName, Count, Entity, Name, ParadigmName, Sha256, Share

OneLine = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\S[^\n]*$")]

TRAIN = "train"
"""The one split that training may see, but for a recipe that names another. All others of a corpus are held out."""

PROMPT_INPUTS = ("domain", "passage_words")
"""Keys of a corpus's file that a prompt for passages may have as inputs, under the same names."""


class SplitCount(Entity):
    """How many queries and judgments a split must have; a key that is left out is not checked."""

    queries: Count | None = None
    judgments: Count | None = None
    empty_relevant: int = Field(
        default=0,
        ge=0,
        description="Judgments of a split that may call a passage without any text relevant. None can ever be found; "
        "they are kept, as published figures keep them.",
    )
    absent: int = Field(
        default=0,
        ge=0,
        description="Judgments of a split that may name a passage that is not in the collection, where only a part of "
        "the judged collection is had; they are kept, as published figures keep them.",
    )


class Counts(Entity):
    """What the finished collection must count; a key that is left out is not checked."""

    passages: Count | None = None
    splits: dict[Name, SplitCount] = Field(default_factory=dict)


class _Corpus(Entity):
    """What every kind of corpus states."""

    title: Literal["prepend", "ignore"] = Field(
        default="ignore", description="Whether a passage's title is put before its text for indexing and reading."
    )
    train_queries: Count | None = Field(
        default=None,
        description="At most this many training queries, the first of a seeded order: what is generated is paid for.",
    )
    train_seed: int = Field(default=13, description="Seed of that order.")
    domain: OneLine | None = Field(
        default=None,
        description="What its passages are about, in a few words such as `medicine`, for prompts that name it. The "
        "committed prompts do not: a domain in the prompt is a treatment of its own.",
    )
    passage_words: Count | None = Field(
        default=None,
        description="Words that a prompt may ask a written passage to have: the mean of a human passage, or fewer "
        "where the LLM's limit holds fewer.",
    )
    answers_may_train: bool = Field(
        default=False,
        description="Whether a passage that answers a held-out query may be trained on with another query, or shown as "
        "an exemplar, as BEIR's own splits let it; rankers then know such passages, and scores in distribution are of "
        "that kind.",
    )
    development: Name | None = Field(
        default=None,
        description="The one split that choices may look at, as `selection` of a ranker does. It is stated before "
        "anything runs, is held out from training, and is no test set. Null is none.",
    )
    counts: Counts = Counts()

    def queries_of(self, split: str) -> int | None:
        """Return how many queries a split has, of the training split those that are taken; None where nothing says."""
        stated = self.counts.splits.get(split)
        known = [self.train_queries if split == TRAIN else None, stated.queries if stated else None]
        return min((number for number in known if number), default=None)


class Archive(Entity):
    """A source distribution whose documentation is read."""

    package: str
    version: str
    sha256: Sha256
    docs: tuple[str, ...] = Field(
        description="Globs of reStructuredText pages from the archive's top folder on; `*` matches `/` as well."
    )
    faq: tuple[str, ...] = Field(
        default=(),
        description="Globs, likewise, of the pages whose headings are questions; a corpus of headings leaves them out.",
    )


class _Documentation(_Corpus):
    """What corpora state that are read out of source distributions."""

    archives: tuple[Archive, ...]
    min_words: Count = Field(default=25, description="Shorter passages, and what asks for them, are dropped.")
    seed: int = Field(default=13, description="Seed of samples and of the split.")
    splits: dict[Name, Share] = Field(description="Share of the queries that each split gets; shares sum to 1.")

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        if abs(sum(self.splits.values()) - 1) > 1e-9:
            raise ValueError(f"the shares of the splits sum to {sum(self.splits.values()):g}; they must sum to 1")
        return self


class FaqCorpus(_Documentation):
    """Questions and answers out of FAQ pages, among passages of the same documentation."""

    source: Literal["faq"]
    max_words: Count = Field(
        default=250, description="Longer answers are cut at a paragraph, longer passages parted there."
    )
    questions: Count | None = Field(default=None, description="At most this many questions an archive, sampled.")
    distractors: Count | None = Field(default=None, description="At most this many other passages an archive, sampled.")

    @model_validator(mode="after")
    def _has_questions(self) -> "FaqCorpus":
        for archive in self.archives:
            if not archive.faq:
                raise ValueError(
                    f"archive {archive.package} states no faq; name the pages whose headings are questions"
                )
        return self


GENERIC = (
    "a note", "api", "api reference", "background", "basic usage", "conclusion", "details", "example", "examples",
    "further reading", "getting started", "installation", "introduction", "limitations", "motivation", "note", "notes",
    "options", "overview", "parameters", "prerequisites", "reference", "requirements", "see also", "summary", "usage",
    "what s next", "where to go from here",
)  # fmt: skip
"""Headings that say nothing of the prose below them, in lower case and without punctuation."""


class HeadingCorpus(_Documentation):
    """Headings as queries, the prose right under each as its passage, among all other prose of the documentation."""

    source: Literal["headings"]
    max_words: Count = Field(
        default=150, description="Longer prose is parted between paragraphs; a heading's passage is the first part."
    )
    min_heading_words: Count = Field(
        default=3, description="A heading of fewer words has its page's title put before it."
    )
    generic: tuple[str, ...] = Field(
        default=GENERIC, description="Headings that are no query, in lower case and without punctuation."
    )
    queries: Count | None = Field(default=None, description="At most this many queries an archive, sampled.")


class SplitPart(Entity):
    """A part of the queries of a qrels file, cut out of a seeded order."""

    file: str
    start: Share = Field(description="Share of the queries before the part.")
    end: Share = Field(description="Share of the queries up to its end.")
    seed: int = 13


class BeirCorpus(_Corpus):
    """A folder in the BEIR layout: corpus.jsonl, queries.jsonl, qrels/NAME.tsv."""

    source: Literal["beir"]
    folder: str = Field(description="Name of the folder under the directory that SYNTHRANK_DATA names (default data/).")
    splits: dict[Name, str | SplitPart] = Field(
        description="For each split its qrels, for example train: qrels/train.tsv, or a part of such a file. A "
        "file whose name ends in .txt is read as TREC qrels."
    )
    sha256: dict[str, Sha256] = Field(default_factory=dict, description="SHA-256 of each file of the folder to check.")


class IrdsCorpus(_Corpus):
    """A collection of the ir_datasets catalogue."""

    source: Literal["ir_datasets"]
    dataset: str = Field(description="ir_datasets id whose documents are the passages.")
    splits: dict[Name, str] = Field(description="For each split the ir_datasets id of its queries and qrels.")


class MixedCorpus(_Corpus):
    """A corpus beside the same passages rewritten: each judgment holds for both, to see which of them a ranker prefers.

    A rewritten passage has the id of its original, ``@`` and the paradigm's name (Dai et al. 2024, Cocktail).
    """

    source: Literal["mixed"]
    corpus: CorpusName
    paradigm: ParadigmName = Field(description="An imported paradigm that is keyed by passage.")
    splits: dict[Name, Name] = Field(description="For each split the one of the original corpus.")


DocumentationCorpus = FaqCorpus | HeadingCorpus
"""Corpora that are read out of source distributions."""

BuiltCorpus = DocumentationCorpus | BeirCorpus | IrdsCorpus
"""Corpora that are read from a source of their own."""


def rewritten_id(passage: str, paradigm: str) -> str:
    """Return the id that another wording of a passage has in a mixed corpus."""
    return f"{passage}@{paradigm}"


CorpusSpec = Annotated[FaqCorpus | HeadingCorpus | BeirCorpus | IrdsCorpus | MixedCorpus, Field(discriminator="source")]
