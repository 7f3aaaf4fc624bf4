"""Render the page: one file with figures, tables, libraries and data, which needs no network.

Texts are untrusted, because they come from corpora and language models. The template escapes all texts. Data for
scripts is JSON without ``<``. The content security policy allows only the three embedded scripts, by their hashes, and
no downloads.
"""

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined

from synthrank.steps.report.js_libraries import csp_hash, for_script, tables_script, tables_style, vega_script


def render(template: str, style: str, script: str, content: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        template: the Jinja template.
        style: the style sheet of the page.
        script: the script of the page.
        content: the variables of the template.
        data: the data of the script.
    """
    scripts = [vega_script(), tables_script(), for_script(script)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        **content,
        data=as_data(data),
        styles=[tables_style(), style],
        scripts=scripts,
        policy="default-src 'none'; script-src " + " ".join(csp_hash(code) for code in scripts)
        + "; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'",
    )  # fmt: skip


def as_data(value: Any) -> str:
    """Return JSON that is safe in a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
