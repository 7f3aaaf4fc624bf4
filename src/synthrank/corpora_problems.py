"""What may be wrong with corpora, their splits, and what is made or stated of them: test sets, queries, figures.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations
from typing import TYPE_CHECKING

from synthrank.errors import known
from synthrank.specs.augmentations import MixedQueries
from synthrank.specs.corpora import TRAIN, BeirCorpus, MixedCorpus, SplitPart
from synthrank.specs.paradigms import rewords

if TYPE_CHECKING:
    from synthrank.study import Study


def corpora_problems(study: Study) -> Iterable[str]:
    """Yield one line for each thing in the files of corpora, test sets, augmentations or figures that does not fit."""
    for check in (_corpora, _testsets, _augmentations, _published):
        yield from check(study)


def _corpora(study: Study) -> Iterable[str]:
    """Yield one line for each corpus whose splits, or whose parts, do not fit together."""
    for name, corpus in study.entities["corpora"].items():
        overlap = corpus.splits.keys() & study.entities["augmentations"].keys()
        if overlap:
            yield f"{study.folder}/corpora/{name}.yaml: splits: {min(overlap)!r} is the name of an augmentation too"
        if isinstance(corpus, BeirCorpus):
            yield from _shared_queries(f"{study.folder}/corpora/{name}.yaml", corpus)
        elif isinstance(corpus, MixedCorpus):
            yield from _mixed(study, f"{study.folder}/corpora/{name}.yaml", corpus)


def _mixed(study: Study, origin: str, corpus: MixedCorpus) -> Iterable[str]:
    """Yield a line for each thing that a mixed corpus cannot be made of, or does not heed."""
    if not rewords(study.entities["paradigms"][corpus.paradigm]):
        yield f"{origin}: paradigm: got {corpus.paradigm!r}; it must be imported, and keyed by passage"
    if isinstance(study.entities["corpora"][corpus.corpus], MixedCorpus):
        yield f"{origin}: corpus: got {corpus.corpus!r}, which is mixed itself; name a corpus with a source of its own"
    for split in corpus.splits.values():
        yield from split_problems(study, f"{origin}: splits", corpus.corpus, split)
    for key in ("title", "domain", "passage_words", "train_queries", "train_seed", "answers_may_train"):
        if key in corpus.model_fields_set:
            yield f"{origin}: {key}: a mixed corpus has what its corpus has; state it there"
    if TRAIN in corpus.splits:
        yield f"{origin}: splits.{TRAIN}: nothing trains on a mixed corpus; it is for tests alone, leave the split out"


def _shared_queries(origin: str, corpus: BeirCorpus) -> Iterable[str]:
    """Yield a line for each two splits, one of them a part of a file, that have queries in common."""
    for (one, a), (other, b) in combinations(corpus.splits.items(), 2):
        if isinstance(a, str) and isinstance(b, str):
            continue
        a, b = (SplitPart(file=item, start=0, end=1) if isinstance(item, str) else item for item in (a, b))
        apart = max(a.start, b.start) >= min(a.end, b.end)
        if a.file == b.file and (a.seed != b.seed or not apart):
            yield (
                f"{origin}: splits: {one!r} and {other!r} share queries of {a.file}; state one seed, and shares that "
                "meet but do not overlap"
            )


def split_problems(study: Study, origin: str, corpus: str, split: str) -> Iterable[str]:
    """Yield a line where a corpus has no such split."""
    splits = study.entities["corpora"][corpus].splits
    if split not in splits:
        yield f"{origin}: split: corpus {corpus!r} has no split {split!r} ({known(splits)})"


def _testsets(study: Study) -> Iterable[str]:
    for name, testset in study.entities["testsets"].items():
        if testset.passages_as != (other := study.passages_as(testset.corpus)):
            yield (
                f"{study.folder}/testsets/{name}.yaml: passages_as: got {testset.passages_as!r}, but another test set "
                f"of corpus {testset.corpus!r} states {other!r}; state the same, for the collection is indexed once"
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
            yield f"{origin}: {twice!r} is named twice; name it once, with the sum of both counts"
        if name in reached(name, lambda part: parts_of.get(part, ())):
            yield f"{origin}: the mixture is a part of itself; a part must be made before the whole"


def reached(start: str, parts_of: Callable[[str], Iterable[str]]) -> set[str]:
    """Return the parts of a thing, and their parts in turn; the thing itself if it is among them."""
    found, waiting = set[str](), [*parts_of(start)]
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting += parts_of(part)
    return found


def _published(study: Study) -> Iterable[str]:
    for name, published in study.entities["published"].items():
        figures = Counter(
            (item.method, item.model, item.first_stage, testset, measure)
            for item in published.results
            for testset, values in item.values.items()
            for measure in values
        )
        for figure, count in figures.items():
            if count > 1:
                said = ", ".join(filter(None, figure))
                yield f"{study.folder}/published/{name}.yaml: results: {said} is stated {count} times; keep one source"
        testsets = study.entities["testsets"].keys()
        stated = {testset for item in published.results for testset in item.values}
        for testset in sorted(stated - testsets - {*published.elsewhere}):
            yield (
                f"{study.folder}/published/{name}.yaml: results.values: got {testset!r}; no such test set, so that the "
                f"figure would stand beside nothing ({known(testsets)}); mend it, or list it under elsewhere"
            )
        for testset in sorted({*published.elsewhere} & testsets | {*published.elsewhere} - stated):
            wrong = "it is a test set here" if testset in testsets else "no result is of it"
            yield f"{study.folder}/published/{name}.yaml: elsewhere: got {testset!r}; {wrong}, leave it out"
