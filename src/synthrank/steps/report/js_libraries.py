"""JavaScript libraries to embed in the page: Vega-Embed for figures, DataTables for tables."""

import base64
import hashlib
import re
from importlib.resources import files

import vl_convert

from synthrank.errors import ModelError


def vega_script() -> str:
    """Return the code of Vega, Vega-Lite and Vega-Embed, which sets ``window.vegaEmbed``."""
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # both arguments are optional, unlike in its stub
    return for_script(bundle)


def tables_script() -> str:
    """Return the code of DataTables with jQuery, which sets ``window.DataTable``.

    The package contains a JavaScript module. Importing it from a data or blob address would need a content security
    policy that allows scripts from all such addresses.
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
    """Return code that is safe in a script element: no part of it ends the element or starts a comment."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def csp_hash(code: str) -> str:
    """Return the SHA-256 source of a script for the content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
