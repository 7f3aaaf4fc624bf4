"""Blocks of the README: how long the two commands took, the first results, published numbers.

benchmarks/readme.py writes the blocks.
"""

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STUDY = "docs/experiments/study"
TARGETS = ("results/tables/id.csv", "results/tables/ood.csv")


def rows(path: str) -> list[dict[str, str]]:
    """Return the rows of a table under docs/."""
    with (PROJECT / "docs" / path).open(newline="") as stream:
        return list(csv.DictReader(stream))


def commands() -> str:
    """Return how long the two commands took, as Markdown."""
    first, second = rows("demo/time.csv")[:2]
    (tests,) = rows("demo/tests.csv")
    memory = f" and {float(first['peak_mb']) / 1000:.1f} GB of memory" if first["peak_mb"] else ""
    return (
        f"On two cores, after 2 to 4 minutes of installing into `.venv`, the [demo](docs/demo/README.md) took "
        f"{float(first['seconds']) / 60:.0f} minutes{memory}; a second run finds nothing to do in "
        f"{float(second['seconds']):.0f} s. "
        f"The {tests['passed']} tests took {float(tests['seconds']) / 60:.0f} minutes."
    )


def published() -> str:
    """Return published and measured values of the first measure as a Markdown table."""
    table = rows("published/measured.csv")
    lines = ["| system | on | measure | published | measured | by |", "|---|---|---|---:|---:|---|"]
    lines += [
        f"| {row['system']}, {row['from']} | {row['testset']} | {row['measure']} | {row['published']} "
        f"| {row['measured']} | {row['source']} |"
        for row in table
        if row["measure"] == table[0]["measure"]
    ]
    return "\n".join(lines)


def finding() -> str:
    """Return nDCG@10 of the study by training set, and the verdicts on its claims, as Markdown."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for table, testset in (("id.csv", "python-headings"), ("ood.csv", "macro-average")):
        for row in rows(f"experiments/study/{table}"):
            if row["measure"] == "nDCG@10" and row["testset"] == testset:
                cells.setdefault((row["ranker"], row["recipe"]), {})[table] = f"{float(row['mean']):.3f}"
    rankers = ["static", "static-reranker+first-stage"]
    trained = list(dict.fromkeys(recipe for ranker, recipe in cells if ranker in rankers))
    lines = [
        f"| trained on | {' | '.join(f'`{ranker}`, id | ood' for ranker in rankers)} |",
        f"|---|{'---:|' * 2 * len(rankers)}",
        f"| BM25, for comparison | {' | '.join([*cells['bm25', 'none'].values()] * len(rankers))} |",
    ]
    for recipe in trained:
        found = [text for ranker in rankers for text in cells[ranker, recipe].values()]
        lines.append(f"| {'not trained' if recipe == 'none' else recipe} | {' | '.join(found)} |")
    verdicts = Counter(row["verdict"] for row in rows("experiments/study/claims.csv"))
    *first, last = [f"{count} {verdict}" for verdict, count in verdicts.most_common()]
    counts = f"{', '.join(first)} and {last}".replace(" ", " are ", 1)
    return "\n".join([*lines, "", f"Of {verdicts.total()} claims, one per training set and distribution, {counts}."])


def graph(printed: str) -> str:
    """Return Snakemake's graph of rules with an arrow for each direct dependency.

    Args:
        printed: the output of ``snakemake --rulegraph mermaid-js``.
    """
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", printed, re.MULTILINE))
    edges = [(names[a], names[b]) for a, b in re.findall(r"^\s*(id\d+) --> (id\d+)", printed, re.MULTILINE) if a != b]
    follow = {rule: {b for a, b in edges if a == rule and b != "all"} for rule in names.values()}

    def behind(rule: str) -> set[str]:
        return follow[rule].union(*(behind(other) for other in follow[rule]))

    def height(rule: str) -> int:
        return max((1 + height(other) for other in follow[rule]), default=0)

    direct = {rule: sorted(follow[rule].difference(*map(behind, follow[rule]))) for rule in follow}
    lines, written = [], set()
    for rule in sorted(follow, key=lambda rule: (-height(rule), rule)):
        line, last = [rule], rule
        while last not in written and direct[last]:
            written.add(last)
            line.append(" & ".join(direct[last]))
            last = direct[last][0] if len(direct[last]) == 1 else rule
        lines += [f"    {' --> '.join(line)}"] if len(line) > 1 else []
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def rules() -> str:
    """Return the rules behind the two tables of the default experiment, from an empty results folder."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "config").symlink_to(PROJECT / "config")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile"), "--directory", scratch),
                *("--rulegraph", "mermaid-js", "--", *TARGETS),
            ],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
    return graph(done.stdout)
