"""Near-duplicate passages, by MinHash."""

from collections.abc import Sequence

from datasketch import MinHash, MinHashLSH

from synthrank.data.passage_texts import split_into_batches

SHINGLE = 5
"""Words per shingle, as in Lee et al. 2022."""

THRESHOLD = 0.8
"""Jaccard similarity of shingles from which two passages are near duplicates."""

BANDS, ROWS = 25, 5
"""A pair with similarity 0.8 is missed with probability (1 - 0.8 ** 5) ** 25, which is 5 in 100,000."""

CHUNK = 1000


def near_duplicates(passages: Sequence[Sequence[str]], seed: int) -> float | None:
    """Return the share of passages that are near or exact duplicates of another passage.

    Passages are compared in order with the earlier passages that are not duplicates themselves. MinHash (datasketch)
    finds candidates, and a pair counts if the Jaccard similarity of its sets of 5-word shingles is 0.8 or more. A
    passage with fewer words is one shingle. None without passages.

    Args:
        passages: the words of each passage.
        seed: the seed of the permutations.
    """
    if not passages:
        return None
    index = MinHashLSH(threshold=THRESHOLD, num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    found: set[int] = set()
    unique: dict[tuple[str, ...], int] = {}  # passages without an earlier duplicate; finds equal words without MinHash
    for chunk in split_into_batches(enumerate(map(tuple, passages)), CHUNK):
        new = [(place, words) for place, words in chunk if words not in unique]
        found.update(place for pair in chunk if pair[1] in unique for place in (pair[0], unique[pair[1]]))
        for (place, words), signature in zip(new, _signatures([words for _, words in new], seed), strict=True):
            if words in unique:
                found |= {place, unique[words]}
                continue
            own = _shingles(words)
            near = next((other for other in sorted(index.query(signature)) if _are_similar(own, passages[other])), None)
            if near is None:
                index.insert(place, signature)
                unique[words] = place
            else:
                found |= {place, near}
    return len(found) / len(passages)


def _signatures(passages: Sequence[Sequence[str]], seed: int) -> list[MinHash]:
    encoded = ([shingle.encode("utf-8", "replace") for shingle in sorted(_shingles(words))] for words in passages)
    signatures: list[MinHash] = MinHash.bulk(encoded, num_perm=BANDS * ROWS, seed=seed)
    return signatures


def _shingles(words: Sequence[str]) -> set[str]:
    return {" ".join(words[start : start + SHINGLE]) for start in range(max(len(words) - SHINGLE, 0) + 1)}


def _are_similar(own: set[str], other: Sequence[str]) -> bool:
    theirs = _shingles(other)
    return len(own & theirs) >= THRESHOLD * len(own | theirs) - 1e-9
