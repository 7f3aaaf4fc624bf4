"""Counts of a ranking: questions, replies, repairs, dropped queries, tokens and price."""

from collections import Counter

from synthrank.llms.parsing.status import Status
from synthrank.llms.reranking.questions import Outcome

NOTES = ("form", "missing", "repeated", "outside", "few", "thought", "truncated", "blocked", "refusal")
"""Notes that are listed even if their count is 0."""


class Account:
    """Sums over queries, and the details of queries with a repair or a malformed reply."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._by_query: dict[str, dict[str, int]] = {}
        self._dropped: list[str] = []
        self._snapshots: set[str] = set()
        self._paid: set[str] = set()
        self._price = 0.0

    def add(self, outcome: Outcome, dropped: bool) -> None:
        """Count one query's outcome. A reply to several equal requests is paid for once."""
        query = outcome.pool.query_id
        statuses = Counter(ask.status for ask in outcome.asks)
        notes = Counter(note for ask in outcome.asks for note in ask.notes)
        self._statuses += statuses
        self._notes += notes
        self._snapshots.update(outcome.snapshots)
        if dropped:
            self._dropped.append(query)
        self._sums.update(
            queries=1,
            candidates=len(outcome.ids),
            unasked=not outcome.asks,
            questions=outcome.questions,
            asks=len(outcome.asks),
            unanswered=outcome.unanswered,
        )
        for ask in outcome.asks:
            if not ask.key or ask.key not in self._paid:
                self._sums.update(tokens_in=ask.tokens_in, tokens_out=ask.tokens_out)
                self._price += ask.price_usd
            self._paid.add(ask.key)
        if notes or statuses.keys() - {Status.WELL_FORMED}:
            listed = {str(name): statuses[name] for name in (Status.REPAIRED, Status.MALFORMED) if statuses[name]}
            self._by_query[query] = {
                "asks": len(outcome.asks),
                "unanswered": outcome.unanswered,
                **listed,
                **dict(sorted(notes.items())),
            }

    def as_dict(self) -> dict[str, object]:
        """Return the sums, the ids of the dropped queries, and the details of the queries with a repair."""
        sums = self._sums
        return {
            "snapshots": sorted(self._snapshots),
            "queries": sums["queries"],
            "ordered": sums["queries"] - len(self._dropped),
            "unasked": sums["unasked"],
            "dropped": self._dropped,
            "candidates": sums["candidates"],
            "questions": sums["questions"],
            "unanswered": sums["unanswered"],
            "asks": sums["asks"],
            "status": {
                str(name): self._statuses[name] for name in (Status.WELL_FORMED, Status.REPAIRED, Status.MALFORMED)
            },
            "notes": {name: self._notes[name] for name in (*NOTES, *sorted(self._notes.keys() - {*NOTES}))},
            "tokens_in": sums["tokens_in"],
            "tokens_out": sums["tokens_out"],
            "price_usd": round(self._price, 6),
            "by_query": self._by_query,
        }
