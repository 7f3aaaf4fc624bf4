"""Paths under ``results/`` that code builds from names or parses.

Each form has the wildcards of the rules as names. Paths that no code builds or parses are only in the rules.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_NAME = re.compile(r"\\{(\w+)\\}")  # as re.escape() writes it
_NUMBERS = {"draw": r"\d+", "seed": r"\d+"}


class Form:
    """A path relative to ``results/`` with names in braces, such as ``corpora/{corpus}``.

    Args:
        template: the path.
        names: the forms of each name that is a path. Values of other names have no slash.

    Attributes:
        template: the path.
        pattern: a regular expression that matches all paths of this form.
    """

    def __init__(self, template: str, **names: "Iterable[Form]") -> None:
        patterns = _NUMBERS | {name: f"(?:{any_of(*forms)})" for name, forms in names.items()}

        def of_name(found: re.Match[str]) -> str:
            return patterns.get(found[1], "[^/]+")

        self.template = template
        self.pattern = _NAME.sub(of_name, re.escape(template))
        named = _NAME.sub(lambda found: f"(?P<{found[1]}>{of_name(found)})", re.escape(template))
        self._anywhere = re.compile(f"(?:.*/)?{named}")

    def __call__(self, **names: str | int) -> str:
        """Return the path with these names. Names that the form does not have are ignored."""
        return self.template.format(**names)

    def fits(self, path: str | Path) -> bool:
        """Return whether a path, in any folder, has this form."""
        return self._anywhere.fullmatch(str(path)) is not None

    def names(self, path: str | Path) -> dict[str, str]:
        """Return the values of the placeholders in a path; the parent folder does not matter.

        Raises:
            ValueError: the path does not have this form.
        """
        found = self._anywhere.fullmatch(str(path))
        if found is None:
            raise ValueError(f"{path}: expected a path of the form …/{self.template}")
        return found.groupdict()


def any_of(*forms: Form) -> str:
    """Return a regular expression that matches the paths of all these forms."""
    return "|".join(form.pattern for form in forms)


MODEL = Form("models/{model}")
CORPUS = Form("corpora/{corpus}")
SPLIT = Form("corpora/{corpus}/{split}")
REQUESTS = Form("passages/{corpus}/{paradigm}/draw-{draw}")
PASSAGES = Form("passages/{corpus}/{paradigm}/draw-{draw}/{llm}")
JUDGED = Form("passages/{corpus}/{paradigm}/draw-{draw}/{writer}/judged/{ranking}/{llm}.jsonl")
QUERIES = Form("queries/{corpus}/{augmentation}")
RUN = Form("runs/{collection}/{retriever}/{queryset}.trec", collection=(CORPUS, PASSAGES))
BY_RANKER = Form("rankers/{ranker}")
BY_RETRIEVER = Form("retrievers/{retriever}")
SCORED = Form("runs/{collection}/judged/{judge}.jsonl", collection=(PASSAGES,), judge=(BY_RANKER, BY_RETRIEVER))
TESTSET_RUN = Form("runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec")
POOL = Form("rankings/{corpus}/{queryset}/{pool}")
RANKING = Form("rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}")
TRAINSET = Form("trainsets/{recipe}/{llm}/draw-{draw}")
CHECKPOINT = Form("checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}")
TESTSET_SCORES = Form("metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv")
