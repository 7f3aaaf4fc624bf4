"""Step make_report: the experiment as one page."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthrank.files import atomic_text
from synthrank.report import examples, provenance
from synthrank.report.graph import draw_graph
from synthrank.report.page import render
from synthrank.report.sections import LEADS, Section, sections_for, tables_of
from synthrank.report.shown import read_figure, read_prose, read_shown
from synthrank.report.summary import findings, summary
from synthrank.specs.base import load
from synthrank.specs.paradigms import ParadigmSpec, word_for

SPENT = {"cost": ("actual_usd", "generate_passages"), "rankings": ("price_usd", "rank_candidates")}
"""Which table says what the replies of which rule cost, and in which column."""

AS_BEFORE = "<p>It is read as the table before it.</p>"

LIMITS = {
    "written": examples.WRITTEN,
    "ranked": examples.RANKED,
    "ordered": examples.ORDERED,
    "top": examples.TOP,
    "characters": examples.CHARACTERS,
}
"""How much of what lies in the files the page shows, as the page says."""


def make_report(
    *,
    tables: list[Path],
    twins: list[Path],
    figures: list[Path],
    written: list[Path],
    replies: list[Path],
    dropped: list[Path],
    testsets: list[Path],
    queries: list[Path],
    qrels: list[Path],
    collections: list[Path],
    first_runs: list[Path],
    runs: list[Path],
    candidates: list[Path],
    orders: list[Path],
    asks: list[Path],
    specs: list[Path],
    environments: list[Path],
    template: Path,
    style: Path,
    script: Path,
    experiment: str,
    graph: str,
    benchmarks: Path,
    report: Path,
) -> None:
    """Make the page.

    Args:
        tables: tidy tables, in the order of the page.
        twins: Markdown twins of those that have one.
        figures: Vega-Lite specifications.
        written: passages for training queries, of people and of language models.
        replies: what language models said, for those of ``written`` that they wrote.
        dropped: for each of ``replies`` those that became no passage.
        testsets: entity files of the test sets.
        queries: for each of them its queries.
        qrels: for each of them its qrels.
        collections: passages of the test sets' corpora, and of those whose passages language models ordered.
        first_runs: runs of first stages on the test sets.
        runs: folders of the rankers' runs.
        candidates: candidates that language models ordered.
        orders: for each of ``candidates`` the order.
        asks: for each of ``candidates`` what was said on the way.
        specs: every file of the configuration that the experiment uses.
        environments: the environments that made the results.
        template: the page, a template of Jinja.
        style: its style sheet.
        script: its script.
        experiment: the experiment, as JSON.
        graph: the rules and which of them reads what another makes, as JSON.
        benchmarks: the folder of Snakemake's benchmark files, which need not be there.
        report: written: the page.
    """
    study, rules = json.loads(experiment), json.loads(graph)
    seed, alpha = study["intervals"]["seed"], 1 - study["intervals"]["confidence"]
    tested = [examples.JudgedSet(*paths) for paths in zip(testsets, queries, qrels, strict=True)]
    drawn = {item.name: item for item in map(read_figure, figures)}
    paradigms = [load(ParadigmSpec, path) for path in specs if path.parent.name == "paradigms"]
    worded = sections_for(word_for(paradigms) or "synthetic")
    sections = _sections(worded, tables, twins, list(drawn), alpha)
    content = {
        "study": study,
        "summary": summary(study, specs, tested),
        "findings": findings({path.stem: path for path in tables}),
        "sections": sections,
        "absent": [item.title for item in worded if item not in [found["section"] for found in sections]],
        "figures": drawn,
        "alpha": alpha,
        "limits": LIMITS,
        "rules": provenance.rule_rows(rules["rules"], rules["edges"], provenance.times(benchmarks), _dollars(tables)),
        "machine": provenance.code_and_machine(),
        "models": provenance.models_of(specs),
        "seeds": provenance.seeds_of(study, specs),
        "pins": provenance.pins_of(environments),
        "configuration": provenance.as_yaml(study),
        "files": [(str(path), path.read_text(encoding="utf-8")) for path in specs],
    }
    data = {
        "figures": {name: item.spec for name, item in drawn.items()}
        | {"rules": draw_graph(rules["rules"], rules["edges"])},
        "examples": {
            "written": examples.written_examples(written, replies, dropped, seed),
            "ranked": examples.ranked_examples(tested, first_runs, runs, collections, seed),
            "ordered": examples.ordered_examples(candidates, orders, asks, collections, seed),
        },
    }
    page, look, does = (path.read_text(encoding="utf-8") for path in (template, style, script))
    with atomic_text(report) as stream:
        stream.write(render(page, look, does, content, data))


def _sections(
    worded: Sequence[Section], tables: Sequence[Path], twins: Sequence[Path], figures: Sequence[str], alpha: float
) -> list[Any]:
    """Return the sections that have a figure or a table, each with what it shows."""
    files, prose = {path.stem: path for path in tables}, {path.stem: path for path in twins}
    found = []
    for section in worded:
        names = tables_of(section, files)
        words = [read_prose(prose[name]) if name in prose else [LEADS[name]] for name in names]
        said = [[AS_BEFORE] if now == before else now for before, now in zip([None, *words], words, strict=False)]
        shown = [
            {"table": read_shown(files[name], alpha), "prose": text} for name, text in zip(names, said, strict=True)
        ]
        here = [name for name in section.figures if name in figures]
        if shown or here:
            found.append({"section": section, "figures": here, "tables": shown})
    return found


def _dollars(tables: Sequence[Path]) -> dict[str, float]:
    """Return what the replies cost that rules asked for, where a table says it."""
    found = {}
    for path in tables:
        column, rule = SPENT.get(path.stem, ("", ""))
        if column:
            with path.open(encoding="utf-8", newline="") as stream:
                found[rule] = sum(float(row[column]) for row in csv.DictReader(stream))
    return found
