"""What the README shows before anything else: a picture, what the two commands took, the rules, figures to trust.

The picture is a figure of docs/experiments as the workflow drew it; ``python benchmarks/front_page.py`` draws it for
dark pages too. The blocks are written by benchmarks/readme.py.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STUDY = PROJECT / "docs/experiments/nfcorpus-human-vs-llm"
DARK = PROJECT / "docs/picture-dark.svg"
TARGETS = ("results/tables/id.csv", "results/tables/ood.csv")
NIGHT = {
    "background": "#0d1117",
    "axis": {"labelColor": "#c9d1d9", "titleColor": "#c9d1d9", "gridColor": "#30363d", "domainColor": "#8b949e"},
    "legend": {"labelColor": "#c9d1d9"},
    "title": {"color": "#f0f6fc", "subtitleColor": "#8b949e"},
    "view": {"stroke": "#30363d"},
}
"""What differs on a dark page; the figure's own colours are readable on both."""
BAND = {"#f0f0f0": "#21262d"}
"""Areas behind the points."""


def rows(path: str) -> list[dict[str, str]]:
    """Return the rows of a table under docs/."""
    with (PROJECT / "docs" / path).open(newline="") as stream:
        return list(csv.DictReader(stream))


def commands() -> str:
    """Return what the two commands took, and the page of the whole experiment, as a Markdown table."""
    first, second, page = rows("demo/time.csv")[:3]
    (tests,) = rows("demo/tests.csv")
    demo = f"{float(first['seconds']) / 60:.0f} minutes, {float(first['peak_mb']) / 1000:.1f} GB of memory; a second "
    demo += f"run finds nothing to do in {float(second['seconds']):.0f} s"
    suite = f"{float(tests['seconds']) / 60:.0f} minutes for {tests['passed']} tests"
    lines = [
        "| command | what it does | what it took on two cores, after 2 to 4 minutes of installing |",
        "|---|---|---|",
        f"| `make demo` | installs into `.venv`, then runs the [default experiment](docs/demo/README.md) | {demo} |",
        f"| `make test` | the same, then runs the tests | {suite} |",
    ]
    lines += [
        "",
        "`make report` makes all that the experiment states and shows it as one page, `results/report.html`: the demo, "
        f"and up to {float(page['seconds']) / 60:.0f} minutes more.",
    ]
    return "\n".join(lines)


def published() -> str:
    """Return published figures of the first measure beside measured ones, as a Markdown table."""
    table = rows("published/measured.csv")
    lines = ["| system | on | measure | published | measured | by |", "|---|---|---|---:|---:|---|"]
    lines += [
        f"| {row['system']}, {row['from']} | {row['testset']} | {row['measure']} | {row['published']} "
        f"| {row['measured']} | {row['source']} |"
        for row in table
        if row["measure"] == table[0]["measure"]
    ]
    return "\n".join(lines)


def graph(told: str) -> str:
    """Return Snakemake's graph of rules with a line for each rule that another one needs.

    What a rule needs through another one is left out: the picture shows in which order things are made.

    Args:
        told: what ``snakemake --rulegraph mermaid-js`` says.
    """
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", told, re.MULTILINE))
    edges = [(names[a], names[b]) for a, b in re.findall(r"^\s*(id\d+) --> (id\d+)", told, re.MULTILINE) if a != b]
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
    """Return the rules behind the two tables of the default experiment, whatever has run here."""
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


def by_night(spec: str) -> dict:
    """Return a figure's Vega-Lite specification for a dark page."""
    for day, night in BAND.items():
        spec = spec.replace(f'"{day}"', f'"{night}"')
    told = json.loads(spec)
    for part, values in NIGHT.items():
        told["config"][part] = {**told["config"].get(part, {}), **values} if isinstance(values, dict) else values
    return told


def picture() -> str:
    """Return the figure of the claims of the experiment on NFCorpus for dark pages, as SVG."""
    sys.path[:0] = [str(PROJECT / "src")]
    import vl_convert

    from synthrank.figures.draw_figure import draw_figure

    with tempfile.TemporaryDirectory() as scratch:
        svg, pdf, vega = (Path(scratch) / name for name in ("f.svg", "f.pdf", "f.json"))
        draw_figure(figure="claims", data=[STUDY / "claims.csv"], svg=svg, pdf=pdf, vega=vega)
        return vl_convert.vegalite_to_svg(by_night(vega.read_text(encoding="utf-8")))


if __name__ == "__main__":
    DARK.write_text(picture(), encoding="utf-8")
