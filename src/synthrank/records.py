"""The rows of every file that one step hands to the next.

Small frozen values. A field's name is its key in the file; a field with a default may be absent there.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a collection. ``text`` is what is indexed and read by every ranker."""

    id: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A query. ``source`` names the passage it was made from, where it was made from one."""

    id: str
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One line of qrels: how relevant (0 is not) a passage is to a query."""

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
    """A passage shown to the language model as an example; ``query`` is empty where no label is used."""

    id: str
    text: str
    query_id: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a language model for one query. ``sample`` numbers repeated asks of the same messages.

    ``schema`` is a JSON Schema, as text, that a provider is asked to keep the reply to; empty for free text.
    """

    query_id: str
    query: str
    messages: tuple[Message, ...]
    exemplars: tuple[str, ...] = ()
    sample: int = 0
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, as it came, with all that determined it.

    ``finish_reason`` is ``stop`` where the model ended by itself, ``length`` where the limit cut it and ``blocked``
    where the provider withheld it, with its word for why in ``blocked``. ``sampling`` holds the settings the backend
    used; token counts are those of the model's tokenizer, ``tokens_cached`` being the part of ``tokens_in`` that the
    provider had in its own cache. ``key`` is the hash of the request, ``snapshot`` the version of the model that the
    server named, ``time`` when the reply came (UTC, ISO 8601), ``mode`` whether it came ``live``, by ``batch`` or from
    a ``local`` model.
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


@dataclass(frozen=True, slots=True)
class WrittenPassage:
    """A training positive: a passage for a query, written by a person or a language model.

    ``grade`` is the human judgment's for a human passage and for another wording of one, the level that was asked for
    for a graded one, and 1 for any other.
    """

    id: str
    text: str
    query_id: str
    query: str
    grade: int = 1


@dataclass(frozen=True, slots=True)
class Dropped:
    """A reply that did not become a passage, and why."""

    query_id: str
    sample: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Pooled:
    """A candidate of a query, with the rank (from 1) at which each retriever that found it has it."""

    id: str
    ranks: dict[str, int]


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of a query, in the order in which a language model is shown them.

    ``source`` is the retriever whose list they are, where each query takes one source's; else it is empty.
    """

    query_id: str
    query: str
    candidates: tuple[Pooled, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a language model was asked on the way to an order, and what it said.

    ``shown`` holds the passages in the order of their numbers, ``text`` the reply as it came or the scores, ``status``
    and ``notes`` what reading it found.
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
    """The passages of a query in the order of a ranker, best first.

    ``texts`` holds their texts where the order came with them, in the same order, and is empty otherwise.
    """

    query_id: str
    query: str
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoredList:
    """The passages that were found for a query and their scores as they were computed, in no order."""

    query_id: str
    ids: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage of a training group. ``source`` says where it came from; a higher ``label`` is more relevant.

    ``teacher`` is the score that a cross-encoder gives it, where the recipe names one.
    """

    id: str
    text: str
    label: float
    source: str = ""
    teacher: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A training group: a query and its candidates, best label first.

    ``relevant`` holds the ids of all passages that are known to be relevant to the query: those that were judged so,
    and those that have the text of one. Where such a passage stands in another group, it is no negative of this query.
    """

    query_id: str
    query: str
    candidates: tuple[Candidate, ...] = field(default_factory=tuple)
    relevant: tuple[str, ...] = ()
