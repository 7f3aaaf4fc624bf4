"""Step make_report: write the report of the experiment, one HTML page."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import load
from synthrank.config.paradigms import ParadigmSpec, word_for
from synthrank.data.csv_text import dict_rows
from synthrank.data.files import atomic_text
from synthrank.steps.report import examples, provenance
from synthrank.steps.report.graph import draw_graph
from synthrank.steps.report.page import render
from synthrank.steps.report.sections import LEADS, PageSection, sections_for, tables_of
from synthrank.steps.report.shown import read_figure, read_prose, read_shown
from synthrank.steps.report.summary import findings, summary

RULE_OF = {"passages": "generate_passages", "queries": "ask_queries"}
"""The rule that requests the replies of each kind in cost.csv."""

AS_BEFORE = "<p>The explanation of the previous table applies.</p>"

LIMITS = {
    "written": examples.WRITTEN,
    "ranked": examples.RANKED,
    "ordered": examples.ORDERED,
    "top": examples.TOP,
    "characters": examples.CHARACTERS,
}
"""The sizes of the samples that the page shows and states."""


def make_report(
    *,
    tables: list[Path],
    markdown: list[Path],
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
    """Write the report.

    Args:
        tables: tidy tables, in the order of the page.
        markdown: the Markdown copies of tables that have one.
        figures: Vega-Lite specifications.
        written: human and generated passages for training queries.
        replies: the replies behind each file of generated passages.
        dropped: per file of ``replies``, the replies that were dropped.
        testsets: entity files of the test sets.
        queries: the queries of each test set.
        qrels: the qrels of each test set.
        collections: the passages of the test sets' corpora and of the corpora ranked by language models.
        first_runs: the first stages' runs on the test sets.
        runs: the rankers' runs on the test sets.
        candidates: the candidates that language models ranked.
        orders: the ranking of each file of ``candidates``.
        asks: the requests and replies of each file of ``candidates``.
        specs: every configuration file of the experiment.
        environments: the environment files.
        template: the Jinja template of the page.
        style: the style sheet of the page.
        script: the script of the page.
        experiment: the experiment, as JSON.
        graph: the rules and their edges, as JSON.
        benchmarks: the folder of Snakemake's benchmark files, which may be missing.
        report: written: the page.
    """
    study, rules = json.loads(experiment), json.loads(graph)
    seed = study["intervals"]["seed"]
    tested = [examples.JudgedSet(*paths) for paths in zip(testsets, queries, qrels, strict=True)]
    drawn = {item.name: item for item in map(read_figure, figures)}
    content = {
        "study": study,
        "summary": summary(study, specs, tested),
        "figures": drawn,
        "limits": LIMITS,
        **_describe_results(specs, tables, markdown, list(drawn), 1 - study["intervals"]["confidence"]),
        **_describe_provenance(study, specs, environments),
        "rules": provenance.rule_rows(
            rules["rules"], rules["edges"], provenance.times(benchmarks), _add_dollars(tables)
        ),
    }
    data = {
        "figures": {name: item.spec for name, item in drawn.items()}
        | {"rules": draw_graph(rules["rules"], rules["edges"])},
        "examples": {
            "written": examples.show_written(written, replies, dropped, seed),
            "ranked": examples.show_ranked(tested, first_runs, runs, collections, seed),
            "ordered": examples.show_ordered(candidates, orders, asks, collections, seed),
        },
    }
    page, look, does = (path.read_text(encoding="utf-8") for path in (template, style, script))
    with atomic_text(report) as stream:
        stream.write(render(page, look, does, content, data))


def _describe_results(
    specs: Sequence[Path], tables: Sequence[Path], markdown: Sequence[Path], figures: Sequence[str], alpha: float
) -> dict[str, Any]:
    """Return tables and figures by section, the findings, and the sections that the experiment lacks."""
    paradigms = [load(ParadigmSpec, path) for path in specs if path.parent.name == "paradigms"]
    worded = sections_for(word_for(paradigms) or "synthetic")
    sections = _fill_sections(worded, tables, markdown, figures, alpha)
    return {
        "findings": findings({path.stem: path for path in tables}),
        "sections": sections,
        "tables": tables[0].parent,
        "absent": [item.title for item in worded if item not in [found["section"] for found in sections]],
        "alpha": alpha,
    }


def _describe_provenance(
    study: Mapping[str, Any], specs: Sequence[Path], environments: Sequence[Path]
) -> dict[str, Any]:
    """Return the code version, the machine, the models, the seeds and the configuration."""
    return {
        "machine": provenance.code_and_machine(),
        "models": provenance.models_of(specs),
        "seeds": provenance.seeds_of(study, specs),
        "pins": provenance.pins_of(environments),
        "configuration": provenance.settings_yaml(study),
        "files": [(str(path), path.read_text(encoding="utf-8")) for path in specs],
    }


def _fill_sections(
    worded: Sequence[PageSection],
    tables: Sequence[Path],
    markdown: Sequence[Path],
    figures: Sequence[str],
    alpha: float,
) -> list[Any]:
    """Return the sections that have a figure or a table, with their content."""
    files, prose = {path.stem: path for path in tables}, {path.stem: path for path in markdown}
    found = []
    for section in worded:
        names = tables_of(section, files)
        words = [read_prose(prose[name]) if name in prose else [LEADS[name]] for name in names]
        leads = [[AS_BEFORE] if now == before else now for before, now in zip([None, *words], words, strict=False)]
        shown = [
            {"table": read_shown(files[name], alpha), "prose": text} for name, text in zip(names, leads, strict=True)
        ]
        here = [name for name in section.figures if name in figures]
        if shown or here:
            found.append({"section": section, "figures": here, "tables": shown})
    return found


def _add_dollars(tables: Sequence[Path]) -> dict[str, float]:
    """Return the dollars that the replies of each rule cost, for rules with a table of costs."""
    found: dict[str, float] = defaultdict(float)
    files = {path.stem: path for path in tables}
    for row in _read_rows(files.get("cost")):
        found[RULE_OF[row["kind"]]] += float(row["actual_usd"])
    for row in _read_rows(files.get("rankings")):
        found["rank_candidates"] += float(row["price_usd"])
    return found


def _read_rows(table: Path | None) -> list[dict[str, str]]:
    if table is None:
        return []
    with table.open(encoding="utf-8", newline="") as stream:
        return list(dict_rows(stream))
