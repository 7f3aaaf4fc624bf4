"""The libraries of the page, to stand in it: Vega-Embed for figures, DataTables for tables."""

import base64
import hashlib
import re
from importlib.resources import files

import vl_convert

from synthrank.errors import ModelError


def vega_script() -> str:
    """Return Vega, Vega-Lite and Vega-Embed, which give themselves to ``window.vegaEmbed``."""
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets that both may be left out
    return for_script(bundle)


def tables_script() -> str:
    """Return DataTables with jQuery, which give themselves to ``window.DataTable``.

    The package has them as a module of their own. Imported from an address within the page, it would need a policy
    under which every such address could run.
    """
    bundle = (files("itables") / "html/dt_bundle.js").read_text(encoding="utf-8")
    exported = re.search(r"export\s*\{([^}]*)\}", bundle)
    name = re.search(r"([\w$]+) as default\b", exported[1]) if exported else None
    if exported is None or name is None:
        raise ModelError("itables: its dt_bundle.js exports no default; install the pinned version")
    return for_script(bundle.replace(exported[0], f"window.DataTable={name[1]}"))


def tables_style() -> str:
    """Return the style sheet of DataTables."""
    return (files("itables") / "html/dt_bundle.css").read_text(encoding="utf-8").replace("</style", "<\\/style")


def for_script(code: str) -> str:
    """Return code that a script element can hold: nothing in it ends the element or makes it a comment."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def allowed(code: str) -> str:
    """Return how a page's policy names a script that may run, by its SHA-256."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
