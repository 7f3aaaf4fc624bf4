"""A task that a tiny model can learn: passages about the query's subject are relevant."""

from synthrank.config.base import validate
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import write_jsonl
from synthrank.data.records import Candidate, Group, Judgment, Passage, Query
from synthrank.data.trec import write_qrels, write_run

WORDS = {
    "water": ["river", "sea", "rain", "water"],
    "bread": ["bread", "flour", "salt", "yeast"],
    "search": ["search", "engine", "spider", "page"],
    "bees": ["bees", "hive", "nectar", "flowers"],
}


def groups(count=16, negatives=3, positive=None):
    """Return groups of one positive, about the query's or an always relevant subject, and other queries' negatives."""
    names = list(WORDS)
    made = []
    for number in range(count):
        subject = names[number % 4]
        first, second, third, fourth = (WORDS[subject][(number // 4 + step) % 4] for step in range(4))
        right = positive or subject
        if positive:
            third, fourth = WORDS[right][number % 4], WORDS[right][(number + 1) % 4]
        others = [name for name in names if name != right][:negatives]
        made.append(
            Group(
                f"q{number}",
                f"{first} {second}",
                (
                    Candidate(f"p{number}", f"the {third} and the {fourth}", 1.0, "human"),
                    *(
                        Candidate(
                            f"n{number}-{place}", f"the {WORDS[other][place]} and the {WORDS[other][place + 1]}", 0.0
                        )
                        for place, other in enumerate(others)
                    ),
                ),
            )
        )
    return made


def development(folder):
    """Write a development split without the first twelve groups, and return its four files."""
    split, passages = groups(24)[12:], {}
    for group in split:
        passages |= {item.id: item.text for item in group.candidates}
    write_jsonl(folder / "queries.jsonl", [Query(group.query_id, group.query) for group in split])
    write_qrels(folder / "qrels.txt", [Judgment(group.query_id, group.candidates[0].id, 1) for group in split])
    write_jsonl(folder / "passages.jsonl", [Passage(name, text) for name, text in passages.items()])
    # The first stage ranks the relevant passage last, so that the input order gives no hint.
    lists = {group.query_id: [(item.id, 9.0 - i) for i, item in enumerate(group.candidates[::-1])] for group in split}
    write_run(folder / "run.trec", lists, "bm25")
    return [folder / name for name in ("queries.jsonl", "qrels.txt", "passages.jsonl", "run.trec")]


def spec(architecture, loss, *, epochs=1, rate=1e-3, batch_size=8, **changed):
    """Return a ranker."""
    own = {
        "cross-encoder": {"rerank": {"retriever": "bm25", "depth": 4}},
        "seq2seq": {"rerank": {"retriever": "bm25", "depth": 4}, "score": "difference", "max_length": 64},
        "decoder": {
            "rerank": {"retriever": "bm25", "depth": 4},
            "prompt": "Question: {query} Passage: {passage} answers:",
            "positive": "y",
            "negative": "n",
            "max_length": 64,
        },
        "bi-encoder": {},
    }
    return validate(
        RankerSpec,
        {
            "architecture": architecture,
            "base": {"model": "tiny"},
            "max_length": 24,
            "loss": loss,
            "optimiser": {
                "learning_rate": rate,
                "epochs": epochs,
                "batch_size": batch_size,
                **changed.pop("optimiser", {}),
            },
            **own[architecture],
            **changed,
        },
        "toy",
    )
