"""Records: the rows of the files that steps exchange.

The name of a field is its key in the file. A field with a default may be absent from the file.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a corpus. Indexes and rankers use ``text``."""

    id: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A query. ``source`` is the id of the passage from which it was generated, or empty."""

    id: str
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One line of qrels: the grade of a passage for a query. 0 is not relevant."""

    query_id: str
    passage_id: str
    grade: int


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a language model."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A passage in a prompt. ``query`` is empty if the prompt shows exemplars without queries."""

    id: str
    text: str
    query_id: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """The messages to a language model for one query. ``sample`` is the number of a repetition of the same messages.

    ``schema`` is the JSON Schema of the reply, as text, or empty for free text.
    """

    query_id: str
    query: str
    messages: tuple[Message, ...]
    exemplars: tuple[str, ...] = ()
    sample: int = 0
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The unchanged reply of a language model, with its request and settings.

    Attributes:
        finish_reason: ``stop`` if the model ended the reply, ``length`` if the token limit cut it, ``blocked`` if the
            provider withheld it, ``unknown`` if the provider states another reason or none.
        tokens_in: tokens of the request, counted by the model's tokenizer.
        tokens_out: tokens of the reply, counted in the same way.
        sampling: the settings of the backend.
        key: the hash of the request.
        snapshot: the version of the model that the server reported.
        tokens_cached: the part of ``tokens_in`` that was in the provider's cache.
        blocked: the provider's reason for withholding the reply.
        time: the time of the reply, UTC in ISO 8601.
        mode: ``live``, ``batch`` or ``local``.
        thought: the model's thoughts, if the provider returns them separately from the text.
        tokens_thought: the part of ``tokens_out`` that the provider counts as thoughts.
        tokens_estimated: whether the provider gave no usable token counts, so that they are estimated from the texts.
    """

    query_id: str
    query: str
    sample: int
    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    model: str
    sampling: dict[str, float | int | str | None]
    messages: tuple[Message, ...]
    key: str = ""
    snapshot: str = ""
    tokens_cached: int = 0
    blocked: str = ""
    latency_s: float = 0.0
    attempts: int = 1
    price_usd: float = 0.0
    time: str = ""
    mode: str = "local"
    thought: str = ""
    tokens_thought: int = 0
    tokens_estimated: bool = False


@dataclass(frozen=True, slots=True)
class WrittenPassage:
    """A training positive: a human or generated passage for a query.

    ``grade`` is the judged grade for a human passage and its rewritings, the requested level for a passage generated
    at a level, and 1 for other passages.
    """

    id: str
    text: str
    query_id: str
    query: str
    grade: int = 1


@dataclass(frozen=True, slots=True)
class Dropped:
    """A reply that did not become a passage, with the reason."""

    query_id: str
    sample: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Pooled:
    """A candidate of a query, with its rank (from 1) per retriever that found it."""

    id: str
    ranks: dict[str, int]


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of a query, in the order in which the prompt shows them.

    ``source`` is the retriever of the candidates if each query uses one retriever, and empty otherwise.
    """

    query_id: str
    query: str
    candidates: tuple[Pooled, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a ranking method, with its reply.

    Attributes:
        shown: the ids of the passages, in the order of their numbers in the prompt.
        text: the unchanged reply, or the scores.
        status: the result of parsing the reply.
        notes: problems found by the parser.
    """

    query_id: str
    step: int
    shown: tuple[str, ...]
    text: str
    status: str
    notes: tuple[str, ...] = ()
    key: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    price_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """The ranking of a query: passage ids, best first.

    ``texts`` contains the texts of the passages, in the same order, if the source has them, and is empty otherwise.
    """

    query_id: str
    query: str
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoredList:
    """Passages for a query with their computed scores, unsorted."""

    query_id: str
    ids: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage of a training group. A higher ``label`` is more relevant. ``source`` names its origin.

    ``teacher`` is the score of the cross-encoder that the recipe names, or None.
    """

    id: str
    text: str
    label: float
    source: str = ""
    teacher: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A training group: a query and its candidates, highest label first.

    ``relevant`` contains the ids of passages that are judged relevant to the query or have the text of such a passage.
    If another group contains one of these passages, it is not used as a negative of this query.
    """

    query_id: str
    query: str
    candidates: tuple[Candidate, ...] = field(default_factory=tuple)
    relevant: tuple[str, ...] = ()
