"""Copies: passages that stand in a collection under another id, with the text of one that is relevant to a query."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from synthrank.records import WrittenPassage
from synthrank.texts import id_texts, known_texts, text_key


def copies(
    written: Sequence[WrittenPassage], known: Mapping[str, set[str]], passages: Path
) -> dict[str, frozenset[str]]:
    """Return, per query, the passages of a file that have the text of a relevant one and are not known themselves.

    Texts are the same by :func:`synthrank.texts.text_key`. The file is read twice, and the texts of relevant passages
    are held.

    Args:
        written: the positives of all queries of the recipe.
        known: per query the ids of the passages that are relevant to it; those that are not in the file have no copy
            by it.
        passages: the passages that negatives come from.
    """
    queries_of: dict[str, set[str]] = defaultdict(set)
    asked = set()
    for item in written:
        asked.add(item.query_id)
        queries_of[text_key(item.text)].add(item.query_id)
    text_of = known_texts(passages, (name for query in asked for name in known.get(query, ())))
    for query in asked:
        for name in known.get(query, set()) & text_of.keys():
            queries_of[text_key(text_of[name])].add(query)
    found: dict[str, set[str]] = defaultdict(set)
    for name, text in id_texts(passages):
        for query in queries_of.get(text_key(text), ()):
            found[query].add(name)
    own = {(item.query_id, item.id) for item in written}
    return {
        query: frozenset(name for name in names - known.get(query, set()) if (query, name) not in own)
        for query, names in found.items()
    }
