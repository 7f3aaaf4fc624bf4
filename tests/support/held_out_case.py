"""Excluded passages, as the workflow lists them."""

from synthrank.data.trec import write_qrels
from synthrank.steps.corpora.exclude_passages import exclude_passages


def exclude(folder, *splits):
    """Write the qrels of held-out splits, and return the list of excluded passages."""
    paths = [folder / f"held-out-{place}.txt" for place, _ in enumerate(splits)]
    for path, judgments in zip(paths, splits, strict=True):
        write_qrels(path, judgments)
    exclude_passages(qrels=paths, excluded=folder / "excluded.txt")
    return folder / "excluded.txt"
