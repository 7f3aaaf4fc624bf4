"""Language models that rank correctly: the text of a passage is its rank, such as ``w7``."""

import re

from synthrank.data.records import Pool, Pooled, Reply


def pool(places, query="q1"):
    """Return a pool of passages with these correct ranks."""
    candidates = tuple(Pooled(f"p{place}", {"bm25": rank}) for rank, place in enumerate(places, 1))
    return Pool(query, f"query {query}", candidates)


def texts(count):
    return {f"p{place}": f"w{place}" for place in range(count)}


def places(messages):
    """Return the correct ranks of the passages in a prompt, in the prompt's order."""
    return [int(number) for message in messages for number in re.findall(r"\bw(\d+)\b", message.content)]


class Oracle:
    """Answers correctly and records every round; ``say`` can replace an answer."""

    def __init__(self, say=None, finish="stop"):
        self.say, self.finish, self.rounds = say or self.order, finish, []

    @staticmethod
    def order(request):
        shown = places(request.messages)
        ranked = sorted(range(len(shown)), key=lambda place: shown[place])
        return " > ".join(f"[{place + 1}]" for place in ranked)

    @staticmethod
    def best(request):
        shown = places(request.messages)
        return f"Passage {'ABCDEFGHIJ'[shown.index(min(shown))]}"

    def generate(self, requests):
        self.rounds.append(list(requests))
        # Reversed: replies arrive in any order.
        for request in reversed(requests):
            yield Reply(
                request.query_id,
                request.query,
                request.sample,
                self.say(request),
                self.finish,
                tokens_in=10,
                tokens_out=3,
                model="oracle",
                sampling={},
                messages=request.messages,
                key=f"{request.query_id}/{request.sample}",
                snapshot="v1",
                price_usd=0.5,
            )

    def score(self, pairs):
        self.rounds.append(list(pairs))
        return [self.log_probability(places(messages), reply) for messages, reply in pairs]

    @staticmethod
    def log_probability(shown, reply):
        if reply in ("Yes", "No"):
            # Only the difference of the two gives the order.
            return -1.0 - shown[0] % 3 if reply == "Yes" else shown[0] - shown[0] % 3 - 50.0
        if len(reply) == 1:
            return -float(shown["ABCDEFGHIJ".index(reply)])
        return -float(shown[0]) - len(reply)
