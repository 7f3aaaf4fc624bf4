"""Write figures into the README and the pages of docs/, between markers: ``python benchmarks/readme.py [--check]``.

The demo's come from docs/demo, where benchmarks/workflow.py left them, an experiment's from docs/experiments, where
benchmarks/experiment.py did, errors of tests from docs/significance.csv, where benchmarks/significance.py did, planned
power from docs/power.csv, where benchmarks/power.py did; the plan and
the graph of rules are computed.
A page that has the markers of a block gets it:
``<!-- plan:begin -->`` and ``<!-- plan:end -->``, each on a line of its own. Figures that are
older than a change that moves them say so (``synthrank.revision``), and so does the page of each record, in its block
``age``.
"""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import front_page

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

from synthrank.revision import FILE, age  # noqa: E402

MEASURE = "nDCG@10"
STUDY = "docs/experiments/nfcorpus-human-vs-llm"


def rows(name: str, folder: str) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with (PROJECT / folder / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def places(folder: str, testset: str) -> dict[tuple[str, str], dict[str, str]]:
    """Return nDCG@10 of each (ranker, recipe) on a test set in distribution, and on average out of it."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for name, where in (("id.csv", testset), ("ood.csv", "macro-average")):
        for row in rows(name, folder):
            if row["measure"] == MEASURE and row["testset"] == where:
                text = f"{float(row['mean']):.3f} [{float(row['ci_low']):.3f}, {float(row['ci_high']):.3f}]"
                cells.setdefault((row["ranker"], row["recipe"]), {})[name] = text
                cells[row["ranker"], row["recipe"]][f"{name} queries"] = row["queries"]
    return cells


def results() -> str:
    """Return the demo's nDCG@10, in and out of distribution, as a Markdown table."""
    cells = places("docs/demo", "python-headings")
    first = next(iter(cells.values()))
    lines = [
        f"{MEASURE} [95 % bootstrap interval over queries], three seeds; {first['id.csv queries']} test queries in "
        f"distribution, {first['ood.csv queries']} out of it (mean of four collections).",
        "",
        "| ranker | trained on | in distribution | out of distribution |",
        "|---|---|---:|---:|",
    ]
    lines += [f"| {ranker} | {recipe} | {c['id.csv']} | {c['ood.csv']} |" for (ranker, recipe), c in cells.items()]
    return "\n".join([*lines, "", *(f"- {line}" for line in printed().split("\n\n")[1].splitlines())])


def printed() -> str:
    """Return what `make demo` prints at its end."""
    from synthrank.tables.__main__ import as_text, read

    return as_text([read(PROJECT / "docs/demo" / name) for name in ("id.csv", "ood.csv")])


def times() -> str:
    """Return where the demo's time goes, as Markdown."""
    table = rows("time.csv", "docs/demo")
    first, second, rules = table[0], table[1], table[2:]
    shown = [row for row in rules if float(row["share"]) >= 0.02]
    memory = f", with a peak of {float(first['peak_mb']) / 1000:.1f} GB over all processes" if first["peak_mb"] else ""
    lines = [
        f"After installation the demo took {float(first['seconds']) / 60:.1f} minutes on two cores without bfloat16, "
        f"downloads in it{memory}; a second run found nothing to do "
        f"in {float(second['seconds']):.0f} s. Where the time goes, from Snakemake's benchmark files (two jobs run at "
        "once):",
        "",
        "| rule | jobs | seconds | share |",
        "|---|---:|---:|---:|",
    ]
    lines += [f"| {r['what']} | {r['jobs']} | {r['seconds']} | {float(r['share']):.0%} |" for r in shown]
    return "\n".join(lines)


def record() -> str:
    """Return the means of the kept experiment on NFCorpus as a Markdown table, without its verdicts."""
    lines = ["| ranker | trained on | in distribution | out of distribution |", "|---|---|---:|---:|"]
    for (ranker, recipe), cell in places(STUDY, "nfcorpus-shared").items():
        if "+" not in ranker:
            names = ranker.removeprefix("nfcorpus-"), recipe.removeprefix("nfcorpus-shared-")
            lines.append(f"| {' | '.join(names)} | {cell['id.csv']} | {cell['ood.csv']} |")
    return "\n".join([f"{MEASURE} [95 % bootstrap interval over questions], 3 training seeds.", "", *lines])


def errors() -> str:
    """Return how often tests err where nothing differs, as Markdown tables."""
    table = rows("significance.csv", "docs")
    spreads = list(dict.fromkeys(row["spread"] for row in table))
    times = {"0": "none", "1": "once", "2": "twice", "3": "three times"}
    lines = [
        "Share of simulated experiments without any difference that have p below .05, by how far seeds spread; once: "
        "at three seeds, seeds add about as much to the variance of a mean difference as queries do. With one seed no "
        "test knows of others. Of a family of eight comparisons: share with any adjusted p below .05; its rows share "
        "four fifths of the variance over queries, and of that over seeds nothing (apart) or as much (alike).",
        "",
        f"| test | queries | seeds | experiments | {' | '.join(times[spread] for spread in spreads)} |",
        f"|---|---:|---:|---:|{'---:|' * len(spreads)}",
    ]
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    for row in table:
        key = row["test"], row["queries"], row["seeds"], f"{int(row['experiments']):,}"
        cells.setdefault(key, {})[row["spread"]] = f"{float(row['rejected']):.3f}".lstrip("0")
    order = list(dict.fromkeys(key[0] for key in cells))
    lines += [
        f"| {' | '.join([*key, *(cells[key].get(spread, '') for spread in spreads)])} |"
        for key in sorted(cells, key=lambda key: order.index(key[0]))
    ]
    return "\n".join(lines)


def powers() -> str:
    """Return planned power beside that of simulated studies, and what repeated looks do, as Markdown tables."""
    table = rows("power.csv", "docs")
    looks = [row for row in table if row["what"] == "looks"]
    lines = [
        f"Share of {int(looks[0]['studies']):,} simulated studies without any difference that reject at .05 when they "
        "are looked at after each seed from 2 to 10 and stopped at the first rejection, by how far seeds spread; once: "
        "at three seeds, seeds add about as much to the variance of a mean difference as queries do.",
        "",
        "| test | queries | none | once | three times |",
        "|---|---:|---:|---:|---:|",
    ]
    cells: dict[tuple[str, str], list[str]] = {}
    for row in looks:
        cells.setdefault((row["test"], row["queries"]), []).append(row["simulated"].lstrip("0"))
    lines += [f"| {' | '.join([*key, *found])} |" for key, found in sorted(cells.items(), reverse=True)]
    lines += [
        "",
        "Differences that are planned to be found with a chance of .8, and how often they are. The standard deviation "
        "over queries is .2.",
        "",
        "| test | queries | seeds | spread | difference | studies | planned | simulated |",
        "|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    times = {"0": "none", "1": "once", "3": "three times"}
    lines += [
        f"| {row['test']} | {row['queries']} | {row['seeds']} | {times[row['spread']]} | "
        f"{float(row['difference']):.3f} | {int(row['studies']):,} | {float(row['planned']):.2f} | "
        f"{float(row['simulated']):.3f} |"
        for row in table
        if row["what"] != "looks"
    ]
    return "\n".join(lines)


def plan() -> str:
    """Return what the full study would cost, as ``make plan`` prints it."""
    from synthrank.plan import as_text, plan
    from synthrank.specs.base import read_yaml
    from synthrank.study import Study

    study = Study(PROJECT / "config", read_yaml(PROJECT / "config/paper.yaml"))
    nowhere = Path("/nonexistent")  # whatever was run here, the README shows the plan of a fresh clone
    return f"```\n{as_text(list(plan(study, nowhere, nowhere)), study)}```"


def with_age(folder: str, text: str) -> str:
    """Return figures of a record, below the sentence on their age where they have one."""
    return "\n\n".join(filter(None, [age(PROJECT / folder), text]))


BLOCKS: Mapping[str, Callable[[], str]] = {
    "commands": front_page.commands,
    "demo": lambda: with_age("docs/demo", f"{results()}\n\n{times()}"),
    "errors": errors,
    "finding": lambda: with_age(front_page.STUDY, front_page.finding()),
    "plan": plan,
    "power": powers,
    "published": front_page.published,
    "record": lambda: with_age(STUDY, record()),
    "rules": front_page.rules,
}
"""What stands between the markers of each name."""
MARKED = re.compile(r"(<!-- ([a-z-]+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)


AGE = "age"
"""The block of the page of a record; it differs from record to record."""


@cache
def block(name: str, folder: Path) -> str:
    """Return what stands between markers of a page in a folder; two pages may show the same."""
    text = age(folder) if name == AGE else BLOCKS[name]()
    return f"{text}\n" if text else ""


def without_age() -> Iterator[Path]:
    """Yield the page of every record of an experiment that has no place for its age, or no revision."""
    for folder in sorted((PROJECT / "docs/experiments").iterdir()):
        page = folder / "README.md"
        if not (folder / FILE).is_file() or f"<!-- {AGE}:begin -->" not in page.read_text(encoding="utf-8"):
            yield page


def pages() -> Iterator[Path]:
    """Yield every page that may have markers."""
    yield PROJECT / "README.md"
    yield from sorted((PROJECT / "docs").rglob("*.md"))


def main() -> None:
    """Write the pages, or check that they are in step."""
    shown = set()
    for path in pages():
        old = path.read_text(encoding="utf-8")
        folder = path.parent
        new = MARKED.sub(lambda match, folder=folder: f"{match[1]}{block(match[2], folder)}{match[3]}", old)
        shown |= {match[2] for match in MARKED.finditer(old)}
        if "--check" not in sys.argv:
            path.write_text(new, encoding="utf-8")
        elif old != new:
            sys.exit(
                f"error: {path.relative_to(PROJECT)}: the figures differ from docs/demo, docs/experiments, "
                "docs/published, the plan or the rules; run python benchmarks/readme.py"
            )
    for page in without_age():
        sys.exit(
            f"error: {page.relative_to(PROJECT)}: the record does not say how old its numbers are; put {FILE} "
            f"beside it, and the markers of {AGE} below its title"
        )
    if missing := sorted(BLOCKS.keys() - shown):
        sys.exit(f"error: no page shows {', '.join(missing)}; put its markers where it belongs, or take it out here")


if __name__ == "__main__":
    main()
