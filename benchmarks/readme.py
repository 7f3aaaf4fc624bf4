"""Write results into the README and the pages of docs/, between markers: ``python benchmarks/readme.py [--check]``.

A page with the markers of a block gets its text: ``<!-- plan:begin -->`` and ``<!-- plan:end -->``, each on a separate
line. The demo's numbers come from docs/demo (benchmarks/workflow.py), an experiment's from docs/experiments
(benchmarks/experiment.py), error rates from docs/significance.csv (benchmarks/significance.py) and planned power from
docs/power.csv (benchmarks/power.py). Faults that a run survives come from docs/torture.csv (`make torture`). The plan
and the graph of rules are computed; data sources come from config/corpora.
If a number is older than a change that moves it, the block states its age (``synthrank.runtime.revision``).
"""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import front_page
import licences
import yaml

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

from synthrank.runtime.revision import FILE, explain_age  # noqa: E402

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
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in sentences())])


def sentences() -> Iterator[str]:
    """Yield the sentences that `make demo` prints below its tables."""
    from synthrank.config.distribution import TITLES
    from synthrank.steps.tables.show import ALPHA, read_main_rows
    from synthrank.steps.tables.small_table import MARK, small_table

    for name, title in TITLES.items():
        table = small_table(read_main_rows(PROJECT / f"docs/demo/{name}.csv"), ALPHA, MARK)
        yield from (f"{title}: {note}" for note in (table.notes if table else ()))


def times() -> str:
    """Return the time of each rule of the demo, as Markdown."""
    table = rows("time.csv", "docs/demo")
    first, second, rules = table[0], table[1], table[2:]
    shown = [row for row in rules if float(row["share"]) >= 0.02]
    memory = f", with a peak of {float(first['peak_mb']) / 1000:.1f} GB over all processes" if first["peak_mb"] else ""
    lines = [
        f"After installation the demo took {float(first['seconds']) / 60:.1f} minutes on two cores without bfloat16, "
        f"downloads in it{memory}; a second run found nothing to do "
        f"in {float(second['seconds']):.0f} s. Seconds per rule, from Snakemake's benchmark files (two jobs run in "
        "parallel):",
        "",
        "| rule | jobs | seconds | share |",
        "|---|---:|---:|---:|",
    ]
    lines += [f"| {r['what']} | {r['jobs']} | {r['seconds']} | {float(r['share']):.0%} |" for r in shown]
    return "\n".join(lines)


def record() -> str:
    """Return the means and the wording bias of the kept experiment on NFCorpus as a Markdown table."""
    preferences = {(row["ranker"], row["recipe"]): row for row in rows("bias.csv", STUDY)}
    seeds = max(int(row["seeds"]) for row in rows("id.csv", STUDY))
    lines = [
        f"{MEASURE} [95 % bootstrap interval over queries], {seeds} training seeds. The last column is the relative "
        "difference between human and reworded versions of the same relevant passages, in percent; above 0 the ranker "
        "prefers human passages.",
        "",
        "| ranker | trained on | in distribution | out of distribution | preference for human passages |",
        "|---|---|---:|---:|---:|",
    ]
    for (ranker, recipe), cell in places(STUDY, "nfcorpus-shared").items():
        bias = preferences[ranker, recipe]
        wording = f"{float(bias['relative']):+.0f} [{float(bias['ci_low']):+.0f}, {float(bias['ci_high']):+.0f}]"
        names = ranker.removeprefix("nfcorpus-"), recipe.removeprefix("nfcorpus-shared-")
        lines.append(f"| {' | '.join((*names, cell['id.csv'], cell['ood.csv'], wording))} |")
    return "\n".join(lines)


def errors() -> str:
    """Return error rates of the significance tests without a true difference, as Markdown tables."""
    table = rows("significance.csv", "docs")
    spreads = list(dict.fromkeys(row["spread"] for row in table))
    times = {"0": "none", "1": "once", "2": "twice", "3": "three times"}
    lines = [
        "False positive rate: the share of simulated experiments without a true difference in which p is below .05. "
        "The columns are the variance over seeds: none, and one, two or three units. With one unit and three seeds, "
        "seeds and queries add about the same variance to a mean difference. A test with one seed cannot measure the "
        "variance over seeds. For a family of eight comparisons: the share in which at least one adjusted p is below "
        ".05. The eight comparisons share four fifths of their variance over queries; over seeds they share nothing "
        "(seeds apart) or four fifths (seeds alike).",
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
    """Return planned and simulated power, and error rates under repeated looks, as Markdown tables."""
    table = rows("power.csv", "docs")
    looks = [row for row in table if row["what"] == "looks"]
    lines = [
        f"Share of {int(looks[0]['studies']):,} simulated studies without a true difference that reject at .05 if they "
        "are tested after each seed from 2 to 10 and stop at the first rejection, by the variance over seeds. Once: "
        "with three seeds, seeds and queries add about the same variance to a mean difference.",
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
        "Differences that are planned to be detected with probability .8, and the simulated rate. The standard "
        "deviation over queries is .2.",
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


def torture() -> str:
    """Return the inputs of the torture tests and their failures, one row per test, as a Markdown table."""
    table = rows("torture.csv", "docs")
    lines = ["| part | what was tried | inputs | failed | note |", "|---|---|---:|---:|---|"]
    lines += [
        f"| {row['part'].replace('_', ' ')} | {row['what']} | {int(row['tried']):,} | {row['failed']} | {row['note']} |"
        for row in table
    ]
    if not table:
        return "No run is recorded."
    inputs, failed = (sum(int(row[name]) for row in table) for name in ("tried", "failed"))
    minutes = sum(float(row["seconds"]) for row in table) / 60
    return "\n".join([f"{inputs:,} inputs in {minutes:.0f} minutes, {failed} failed.", "", *lines])


def plan() -> str:
    """Return the cost of the full study, as ``make plan`` prints it."""
    from synthrank.config.base import read_yaml
    from synthrank.config.study import Study
    from synthrank.workflow.plan import format_plan, plan

    study = Study(PROJECT / "config", read_yaml(PROJECT / "config/paper.yaml"))
    nowhere = Path("/nonexistent")  # the page shows the plan of a fresh clone, without the results of this one
    return f"```\n{format_plan(list(plan(study, nowhere, nowhere)), study)}```"


def data() -> str:
    """Return where to get the shipped corpora as a Markdown table."""
    rows = ["| corpus | terms | get it from |", "|---|---|---|"]
    for path in sorted((PROJECT / "config/corpora").glob("*.yaml")):
        corpus = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows.append(f"| {path.stem} | {corpus['licence']} | {_origin(corpus)} |")
    return "\n".join(rows)


def _origin(corpus: Mapping[str, Any]) -> str:
    if packages := [archive["package"] for archive in corpus.get("archives", [])]:
        return f"package index, by the workflow: documentation of {', '.join(packages)} ([site]({corpus['url']}))"
    if corpus["source"] == "ir_datasets":
        return f"`ir_datasets`, by the workflow: `{corpus['dataset']}` ([source]({corpus['url']}))"
    folder = f"`{corpus['folder']}/`" if "folder" in corpus else f"corpus {corpus['corpus']}"
    return f"[download]({corpus['url']}), {folder}"


def with_age(folder: str, text: str) -> str:
    """Return numbers of a record, below the sentence on their age if they have one."""
    return "\n\n".join(filter(None, [explain_age(PROJECT / folder), text]))


BLOCKS: Mapping[str, Callable[[], str]] = {
    "commands": front_page.commands,
    "data": data,
    "demo": lambda: with_age("docs/demo", f"{results()}\n\n{times()}"),
    "errors": errors,
    "finding": lambda: with_age(front_page.STUDY, front_page.finding()),
    "licences": licences.table,
    "plan": plan,
    "power": powers,
    "published": front_page.published,
    "record": lambda: with_age(STUDY, record()),
    "rules": front_page.rules,
    "torture": torture,
}
"""The text between the markers of each name."""
MARKED = re.compile(r"(<!-- ([a-z-]+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)


AGE = "age"
"""The block of the page of a record; it differs from record to record."""


@cache
def block(name: str, folder: Path) -> str:
    """Return the text between the markers of a page in a folder; two pages may show the same text."""
    text = explain_age(folder) if name == AGE else BLOCKS[name]()
    return f"{text}\n" if text else ""


def without_age() -> Iterator[Path]:
    """Yield the page of every record of an experiment without markers for its age, or without a revision."""
    for folder in sorted((PROJECT / "docs/experiments").iterdir()):
        page = folder / "README.md"
        if not (folder / FILE).is_file() or f"<!-- {AGE}:begin -->" not in page.read_text(encoding="utf-8"):
            yield page


def pages() -> Iterator[Path]:
    """Yield every page that may have markers."""
    yield PROJECT / "README.md"
    yield from sorted((PROJECT / "docs").rglob("*.md"))


def main() -> None:
    """Write the pages, or check that they are up to date."""
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
            f"error: {page.relative_to(PROJECT)}: the record states no age of its numbers; put {FILE} next "
            f"to it, and the markers of {AGE} below its title"
        )
    if missing := sorted(BLOCKS.keys() - shown):
        sys.exit(f"error: no page shows {', '.join(missing)}; put its markers on a page, or remove it here")


if __name__ == "__main__":
    main()
