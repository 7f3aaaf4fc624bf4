"""The page: one file with its figures, tables, libraries and data, which asks no network for anything.

All text comes from files that others wrote, language models among them. The template escapes what it is given; data
for scripts stands as JSON without ``<``; and the page's policy lets only the three scripts run that were put there, by
their hashes, and nothing be fetched.
"""

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined

from synthrank.report.bundles import allowed, for_script, tables_script, tables_style, vega_script


def render(template: str, style: str, script: str, content: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        template: of Jinja.
        style: the page's own style sheet.
        script: the page's own script.
        content: what the template names.
        data: what the script reads.
    """
    scripts = [vega_script(), tables_script(), for_script(script)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        **content,
        data=as_data(data),
        styles=[tables_style(), style],
        scripts=scripts,
        policy="default-src 'none'; script-src " + " ".join(allowed(code) for code in scripts)
        + "; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'",
    )  # fmt: skip


def as_data(value: Any) -> str:
    """Return JSON that a script element can hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
