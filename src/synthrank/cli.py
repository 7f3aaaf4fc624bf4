"""A step's typed signature is its command line.

Scripts call :func:`run` and hold no logic. Messages go to standard error, which every rule sends to its log.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

from synthrank.errors import SynthrankError
from synthrank.missing import answer_missing_modules, missing
from synthrank.variables import tracebacks

answer_missing_modules()  # before a script imports its step


def run(step: Callable[..., Any], arguments: list[str] | None = None) -> None:
    """Run ``step`` with the options on the command line and end the process with 0, or with 1 after one line.

    A keyword of the step is an option of the same name; one that takes a list takes several values after one option.
    An error that a person can mend is one line, ``error: …``; any other shows its traceback above that line.
    Set ``SYNTHRANK_DEBUG=1`` to see the traceback always.
    """
    from cyclopts import App, Parameter  # here, because an environment may lack it too

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    for chatty in ("httpx", "httpx2", "transformers", "sentence_transformers", "datasets", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app = App(
        name=step.__name__,
        help=step.__doc__,
        default_parameter=Parameter(consume_multiple=True, negative=()),
        result_action="return_value",
    )
    app.default(step)
    try:
        app(arguments)
    except SynthrankError as error:
        if tracebacks():
            traceback.print_exc()
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        said = missing(error, step.__name__)
        if said is None or tracebacks():
            traceback.print_exc()
        sys.exit(said or f"error: {step.__name__}: ModuleNotFoundError: {error}")
    except OSError as error:
        traceback.print_exc()
        sys.exit(f"error: {error.filename or 'a file'}: {error.strerror or error}; free space or rights may be missing")
    except Exception as error:
        traceback.print_exc()
        sys.exit(f"error: {step.__name__}: {type(error).__name__}: {error}")
