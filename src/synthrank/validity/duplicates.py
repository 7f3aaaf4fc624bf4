"""Near-duplicate passages, by MinHash."""

from collections.abc import Sequence

from datasketch import MinHash, MinHashLSH

from synthrank.texts import chunks

SHINGLE = 5
"""Words of a shingle, as Lee et al. 2022 take them."""

THRESHOLD = 0.8
"""Jaccard similarity of their shingles at which two passages are near duplicates."""

BANDS, ROWS = 25, 5
"""A pair of similarity 0.8 is missed with probability (1 - 0.8 ** 5) ** 25, that is 5 in 100,000."""

CHUNK = 1000


def near_duplicates(passages: Sequence[Sequence[str]], seed: int) -> float | None:
    """Return the share of passages that are near duplicates of another one, the same words included.

    Passages are taken in turn and compared with those that no earlier one stands for; MinHash (datasketch) finds
    candidates, and a pair counts when the Jaccard similarity of its sets of 5-word shingles is 0.8 or more. A passage
    of fewer words is one shingle. Null for no passage.

    Args:
        passages: the words of each.
        seed: of the permutations.
    """
    if not passages:
        return None
    index = MinHashLSH(threshold=THRESHOLD, num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    found: set[int] = set()
    alone: dict[tuple[str, ...], int] = {}  # what stands for others: also catches the same words without a signature
    for chunk in chunks(enumerate(map(tuple, passages)), CHUNK):
        new = [(place, words) for place, words in chunk if words not in alone]
        found.update(place for pair in chunk if pair[1] in alone for place in (pair[0], alone[pair[1]]))
        for (place, words), signature in zip(new, _signatures([words for _, words in new], seed), strict=True):
            if words in alone:
                found |= {place, alone[words]}
                continue
            own = _shingles(words)
            near = next((other for other in sorted(index.query(signature)) if _same(own, passages[other])), None)
            if near is None:
                index.insert(place, signature)
                alone[words] = place
            else:
                found |= {place, near}
    return len(found) / len(passages)


def _signatures(passages: Sequence[Sequence[str]], seed: int) -> list[MinHash]:
    encoded = ([shingle.encode("utf-8", "replace") for shingle in sorted(_shingles(words))] for words in passages)
    signatures: list[MinHash] = MinHash.bulk(encoded, num_perm=BANDS * ROWS, seed=seed)
    return signatures


def _shingles(words: Sequence[str]) -> set[str]:
    return {" ".join(words[start : start + SHINGLE]) for start in range(max(len(words) - SHINGLE, 0) + 1)}


def _same(own: set[str], other: Sequence[str]) -> bool:
    theirs = _shingles(other)
    return len(own & theirs) >= THRESHOLD * len(own | theirs) - 1e-9
