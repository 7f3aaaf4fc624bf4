"""Run a step by name. The step's typed signature defines its command line.

``scripts/step.py`` calls :func:`run_step` for every rule. Messages go to standard error, which rules redirect to a log.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from synthrank.errors import SynthrankError
from synthrank.runtime.environment import tracebacks
from synthrank.runtime.missing_modules import explain_missing, stage_of
from synthrank.runtime.start import start_lightly

os.environ.setdefault(
    "PYDANTIC_DISABLE_PLUGINS", "__all__"
)  # the search for plugins reads the metadata of all packages


def run_step(name: str, arguments: list[str]) -> None:
    """Import the step ``synthrank.steps.STAGE.NAME``, run it with :func:`run`, and exit.

    Args:
        name: the name of the rule, which its step and module share.
        arguments: the options.
    """
    stage = stage_of(name)
    if stage is None:
        sys.exit(f"error: {name}: no such step in src/synthrank/steps")
    start_lightly()
    try:
        step = getattr(import_module(f"synthrank.steps.{stage}.{name}"), name)
    except ModuleNotFoundError as error:
        _end_without_module(error, name)
    run(step, arguments)


def run(step: Callable[..., Any], arguments: list[str] | None = None) -> None:
    """Run ``step`` with command-line options and exit with status 0, or 1 after an error.

    Each keyword of the step is an option of the same name. An option for a list accepts several values.
    A :class:`SynthrankError` is printed as one line, ``error: …``. Other errors also print a traceback.
    ``SYNTHRANK_DEBUG=1`` prints the traceback of every error.
    """
    try:
        from cyclopts import App, Parameter  # an environment may lack it
    except ModuleNotFoundError as error:
        _end_without_module(error, step.__name__)

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
        _end_without_module(error, step.__name__)
    except OSError as error:
        traceback.print_exc()
        sys.exit(f"error: {error.filename or 'a file'}: {error.strerror or error}; check free space and permissions")
    except Exception as error:
        traceback.print_exc()
        sys.exit(f"error: {step.__name__}: {type(error).__name__}: {error}")


def command(main: Callable[..., None]) -> None:
    """Run an interactive command with its options and exit. A :class:`SynthrankError` is printed as one line."""
    from cyclopts import App

    app = App(help=main.__doc__)
    app.default(main)
    try:
        app()
    except SynthrankError as error:
        sys.exit(f"error: {error}")


def _end_without_module(error: ModuleNotFoundError, name: str) -> NoReturn:
    message = explain_missing(error, name)
    if message is None or tracebacks():
        traceback.print_exc()
    sys.exit(message or f"error: {name}: ModuleNotFoundError: {error}")
