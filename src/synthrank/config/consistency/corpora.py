"""Checks of corpora, splits, test sets, augmentations and published results.

Each check yields messages of one line: the file, the key, what is wrong, what is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations
from typing import TYPE_CHECKING

from synthrank.config.augmentations import MixedQueries
from synthrank.config.corpora import TRAIN, BeirCorpus, MixedCorpus, SplitPart
from synthrank.config.paradigms import rewords
from synthrank.errors import suggest

if TYPE_CHECKING:
    from synthrank.config.study import Study


def corpora_problems(study: Study) -> Iterable[str]:
    """Yield a line per problem of corpora, test sets, augmentations or published results."""
    for check in (_corpora, _testsets, _augmentations, _check_published):
        yield from check(study)


def _corpora(study: Study) -> Iterable[str]:
    """Yield a line per problem of a corpus's splits or parts."""
    for name, corpus in study.entities["corpora"].items():
        overlap = corpus.splits.keys() & study.entities["augmentations"].keys()
        if overlap:
            yield f"{study.folder}/corpora/{name}.yaml: splits: {min(overlap)!r} is also an augmentation; rename one"
        if isinstance(corpus, BeirCorpus):
            yield from _shared_queries(f"{study.folder}/corpora/{name}.yaml", corpus)
        elif isinstance(corpus, MixedCorpus):
            yield from _check_mixture(study, f"{study.folder}/corpora/{name}.yaml", corpus)


def _check_mixture(study: Study, origin: str, corpus: MixedCorpus) -> Iterable[str]:
    """Yield a line per key of a mixed corpus that is invalid or has no effect."""
    if not rewords(study.entities["paradigms"][corpus.paradigm]):
        yield f"{origin}: paradigm: {corpus.paradigm!r} must have kind: imported and by: passage"
    if isinstance(study.entities["corpora"][corpus.corpus], MixedCorpus):
        yield f"{origin}: corpus: {corpus.corpus!r} is a mixed corpus; state its original corpus"
    for split in corpus.splits.values():
        yield from split_problems(study, f"{origin}: splits", corpus.corpus, split)
    for key in ("title", "domain", "passage_words", "train_queries", "train_seed", "answers_may_train"):
        if key in corpus.model_fields_set:
            yield f"{origin}: {key}: has no effect in a mixed corpus; state it in the file of corpus {corpus.corpus!r}"
    if TRAIN in corpus.splits:
        yield f"{origin}: splits.{TRAIN}: a mixed corpus is only for testing; remove the split"


def _shared_queries(origin: str, corpus: BeirCorpus) -> Iterable[str]:
    """Yield a line per pair of splits with common queries, if at least one split is a part of a file."""
    for (one, a), (other, b) in combinations(corpus.splits.items(), 2):
        if isinstance(a, str) and isinstance(b, str):
            continue
        a, b = (SplitPart(file=item, start=0, end=1) if isinstance(item, str) else item for item in (a, b))
        apart = max(a.start, b.start) >= min(a.end, b.end)
        if a.file == b.file and (a.seed != b.seed or not apart):
            yield (
                f"{origin}: splits: {one!r} and {other!r} share queries of {a.file}; state the same seed and ranges "
                "that do not overlap"
            )


def split_problems(study: Study, origin: str, corpus: str, split: str) -> Iterable[str]:
    """Yield a line if a corpus has no such split."""
    splits = study.entities["corpora"][corpus].splits
    if split not in splits:
        yield f"{origin}: split: corpus {corpus!r} has no split {split!r}{suggest(split, splits)}"


def _testsets(study: Study) -> Iterable[str]:
    for name, testset in study.entities["testsets"].items():
        if testset.passages_as != (other := study.passages_as(testset.corpus)):
            yield (
                f"{study.folder}/testsets/{name}.yaml: passages_as: got {testset.passages_as!r}, but another test set "
                f"of corpus {testset.corpus!r} has {other!r}; state the same, because the corpus is indexed once"
            )
        yield from split_problems(study, f"{study.folder}/testsets/{name}.yaml", testset.corpus, testset.split)


def _augmentations(study: Study) -> Iterable[str]:
    parts_of = {
        name: [part.augmentation for part in spec.parts]
        for name, spec in study.entities["augmentations"].items()
        if isinstance(spec, MixedQueries)
    }
    for name, parts in parts_of.items():
        origin = f"{study.folder}/augmentations/{name}.yaml: parts"
        if len(set(parts)) < len(parts):
            twice = max(parts, key=parts.count)
            yield f"{origin}: {twice!r} occurs twice; state it once, with the sum of both counts"
        if name in reached(name, lambda part: parts_of.get(part, ())):
            yield f"{origin}: the mixture contains itself; remove the part that leads back to it"


def reached(start: str, parts_of: Callable[[str], Iterable[str]]) -> set[str]:
    """Return the parts of an item and recursively their parts, which may include the item."""
    found, waiting = set[str](), [*parts_of(start)]
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting += parts_of(part)
    return found


def _check_published(study: Study) -> Iterable[str]:
    for name, published in study.entities["published"].items():
        figures = Counter(
            (item.method, item.model, item.first_stage, testset, measure)
            for item in published.results
            for testset, values in item.values.items()
            for measure in values
        )
        for figure, count in figures.items():
            if count > 1:
                score = ", ".join(filter(None, figure))
                yield f"{study.folder}/published/{name}.yaml: results: {score} occurs {count} times; keep one source"
        testsets = study.entities["testsets"].keys()
        stated = {testset for item in published.results for testset in item.values}
        for testset in sorted(stated - testsets - {*published.elsewhere}):
            yield (
                f"{study.folder}/published/{name}.yaml: results.values: no test set named {testset!r} in "
                f"{study.folder}/testsets{suggest(testset, testsets)}; correct it, or add it to elsewhere"
            )
        for testset in sorted({*published.elsewhere} & testsets | {*published.elsewhere} - stated):
            wrong = "is in config/testsets" if testset in testsets else "is in no result"
            yield f"{study.folder}/published/{name}.yaml: elsewhere: {testset!r} {wrong}; remove it"
