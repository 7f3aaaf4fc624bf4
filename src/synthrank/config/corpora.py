"""``config/corpora``: the source of a corpus, its splits and its expected counts."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from synthrank.config.base import ONE_LINE, URL, CorpusName, Count, Entity, Name, ParadigmName, Sha256, Share

OneLine = Annotated[str, StringConstraints(strip_whitespace=True, pattern=ONE_LINE)]

Url = Annotated[str, StringConstraints(pattern=URL)]

TRAIN = "train"
"""The split for training, unless a recipe names another one. All other splits of a corpus are held out."""

PROMPT_INPUTS = ("domain", "passage_words")
"""Keys of a corpus's file that are inputs of the same name in prompts for passages."""


class SplitCount(Entity):
    """Expected counts of a split."""

    queries: Count | None = Field(default=None, description="Queries; null: not checked.")
    judgments: Count | None = Field(default=None, description="Judgments; null: not checked.")
    empty_relevant: int = Field(
        default=0,
        ge=0,
        description="The number of judgments that may refer to a relevant passage without text. No system can retrieve "
        "such a passage. The judgments are kept because published scores include them.",
    )
    absent: int = Field(
        default=0,
        ge=0,
        description="The number of judgments that may refer to a passage that is missing from the corpus, if only part "
        "of the judged corpus is available. The judgments are kept because published scores include them.",
    )


class Counts(Entity):
    """Expected counts of the corpus."""

    passages: Count | None = Field(default=None, description="Passages; null: not checked.")
    splits: dict[Name, SplitCount] = Field(default_factory=dict, description="Counts per split.")


class _Corpus(Entity):
    """Keys of every kind of corpus."""

    title: Literal["prepend", "ignore"] = Field(
        default="ignore", description="`prepend` puts a passage's title before its text, for indexing and reading."
    )
    train_queries: Count | None = Field(
        default=None,
        description="The maximum number of training queries, taken from a seeded order. Fewer queries cost less to "
        "generate passages for. null: all.",
    )
    train_seed: int = Field(default=13, description="Seed of the order of training queries.")
    domain: OneLine | None = Field(
        default=None,
        description="The topic of the passages, such as `medicine`, for prompts with the input `domain`. "
        "The committed prompts do not use it, because it would be a separate treatment.",
    )
    passage_words: Count | None = Field(
        default=None,
        description="The length in words that prompts request for generated passages: the mean length of human "
        "passages, or less if the LLM's token limit is lower.",
    )
    answers_may_train: bool = Field(
        default=False,
        description="Whether training may use a passage that answers a held-out query, with another query or as an "
        "exemplar. BEIR's own splits allow it. Rankers then see test passages in training, so scores in distribution "
        "are too high.",
    )
    development: Name | None = Field(
        default=None,
        description="The split on which settings are chosen, for example by `selection` of a ranker. Training and test "
        "sets do not use it. null: none.",
    )
    url: Url | None = Field(
        default=None, description="Address of the corpus, shown if its folder is missing; null: none."
    )
    licence: OneLine | None = Field(default=None, description="Licence of the texts, in a few words; null: unknown.")
    counts: Counts = Field(default=Counts(), description="Expected counts; a difference is an error.")

    def queries_of(self, split: str) -> int | None:
        """Return the stated number of queries of a split, at most ``train_queries`` for training, or None."""
        stated = self.counts.splits.get(split)
        known = [self.train_queries if split == TRAIN else None, stated.queries if stated else None]
        return min((number for number in known if number), default=None)


class Archive(Entity):
    """A source distribution with documentation."""

    package: str = Field(description="Name of the distribution on the package index.")
    version: str = Field(description="Exact version.")
    sha256: Sha256 = Field(description="SHA-256 of the archive.")
    docs: tuple[str, ...] = Field(
        description="Globs of reStructuredText pages, relative to the archive's top folder; `*` also matches `/`."
    )
    faq: tuple[str, ...] = Field(
        default=(),
        description="Globs of the FAQ pages, whose headings are questions. A corpus of headings skips them.",
    )


class _Documentation(_Corpus):
    """Keys of corpora from source distributions."""

    archives: tuple[Archive, ...] = Field(description="The source distributions.")
    min_words: Count = Field(default=25, description="Shorter passages are dropped, with their queries.")
    seed: int = Field(default=13, description="Seed of samples and splits.")
    splits: dict[Name, Share] = Field(description="The share of queries per split; shares sum to 1.")

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        if abs(sum(self.splits.values()) - 1) > 1e-9:
            raise ValueError(f"the shares of the splits sum to {sum(self.splits.values()):g}; they must sum to 1")
        return self


class FaqCorpus(_Documentation):
    """Questions and answers of FAQ pages, among other passages of the same documentation."""

    source: Literal["faq"] = Field(description="Where the corpus comes from.")
    max_words: Count = Field(
        default=250, description="Longer answers are cut at the end of a paragraph, longer passages are split there."
    )
    questions: Count | None = Field(
        default=None, description="The maximum number of questions per archive, sampled; null: all."
    )
    distractors: Count | None = Field(
        default=None, description="The maximum number of other passages per archive, sampled; null: all."
    )

    @model_validator(mode="after")
    def _has_questions(self) -> "FaqCorpus":
        for archive in self.archives:
            if not archive.faq:
                raise ValueError(
                    f"archive {archive.package} has no key faq; state globs of the pages with questions as headings"
                )
        return self


GENERIC = (
    "a note", "api", "api reference", "background", "basic usage", "conclusion", "details", "example", "examples",
    "further reading", "getting started", "installation", "introduction", "limitations", "motivation", "note", "notes",
    "options", "overview", "parameters", "prerequisites", "reference", "requirements", "see also", "summary", "usage",
    "what s next", "where to go from here",
)  # fmt: skip
"""Headings that do not describe the prose below them, in lower case and without punctuation."""


class HeadingCorpus(_Documentation):
    """Headings as queries. The prose directly below a heading is its passage, among all other prose as distractors."""

    source: Literal["headings"] = Field(description="Where the corpus comes from.")
    max_words: Count = Field(
        default=150, description="Longer prose is split between paragraphs; the passage of a heading is the first part."
    )
    min_heading_words: Count = Field(default=3, description="A shorter heading is preceded by its page's title.")
    generic: tuple[str, ...] = Field(
        default=GENERIC, description="Headings that are not queries, in lower case and without punctuation."
    )
    queries: Count | None = Field(
        default=None, description="The maximum number of queries per archive, sampled; null: all."
    )


class SplitPart(Entity):
    """A range of the queries of a qrels file, in a seeded order."""

    file: str = Field(description="The qrels file, relative to the corpus's folder.")
    start: Share = Field(description="Start of the range, as a share of the queries.")
    end: Share = Field(description="End of the range, as a share of the queries.")
    seed: int = Field(default=13, description="Seed of the order.")


class BeirCorpus(_Corpus):
    """A folder in the BEIR layout: corpus.jsonl, queries.jsonl, qrels/NAME.tsv."""

    source: Literal["beir"] = Field(description="Where the corpus comes from.")
    folder: str = Field(
        description="Folder under the directory of the environment variable SYNTHRANK_DATA, by default data/."
    )
    splits: dict[Name, str | SplitPart] = Field(
        description="The qrels file per split, for example train: qrels/train.tsv, or a part of a file. A name that "
        "ends in .txt is a file in TREC format."
    )
    sha256: dict[str, Sha256] = Field(default_factory=dict, description="Expected SHA-256 per file of the folder.")


class IrdsCorpus(_Corpus):
    """A collection of the ir_datasets catalogue."""

    source: Literal["ir_datasets"] = Field(description="Where the corpus comes from.")
    dataset: str = Field(description="Id in ir_datasets of the passages.")
    splits: dict[Name, str] = Field(description="Id in ir_datasets of the queries and qrels, per split.")


class MixedCorpus(_Corpus):
    """A corpus with a second, rewritten version of every passage, to measure which version a ranker prefers.

    Each judgment applies to both versions. The id of a rewritten passage is the original id, ``@`` and the paradigm's
    name (Dai et al. 2024, Cocktail).
    """

    source: Literal["mixed"] = Field(description="Where the corpus comes from.")
    corpus: CorpusName = Field(description="The original corpus.")
    paradigm: ParadigmName = Field(
        description="The rewritten passages: a paradigm with `kind: imported`, `by: passage`."
    )
    splits: dict[Name, Name] = Field(description="The split of the original corpus, per split.")


DocumentationCorpus = FaqCorpus | HeadingCorpus
"""Corpora from source distributions."""

BuiltCorpus = DocumentationCorpus | BeirCorpus | IrdsCorpus
"""Corpora that are not derived from another corpus."""


def rewritten_id(passage: str, paradigm: str) -> str:
    """Return the id of a rewritten passage in a mixed corpus."""
    return f"{passage}@{paradigm}"


CorpusSpec = Annotated[FaqCorpus | HeadingCorpus | BeirCorpus | IrdsCorpus | MixedCorpus, Field(discriminator="source")]
