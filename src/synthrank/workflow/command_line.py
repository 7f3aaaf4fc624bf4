"""The command line of a rule: every input, output and param is an option of the same name."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any


def options(wildcards: object, input: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    """Return a job's named inputs and outputs as command-line options. Snakemake calls this function for a param.

    Args:
        wildcards: the job's wildcards, unused.
        input: the job's inputs. The input ``source`` is omitted: it only delays the job until it exists.
        output: the job's outputs.

    Returns:
        ``--NAME PATH …`` for each name, in the order of the rule. An empty list gives an option without a value.
    """
    words: list[str] = []
    for name, files in [*input.items(), *output.items()]:
        if name != "source":
            words += [_option(name), *_paths(files)]
    return shlex.join(words)


def step(name: str, items: str = "", *, launcher: str = "python", **others: str) -> str:
    """Return the shell command of a rule.

    Args:
        name: the step.
        items: the params that become options, separated by spaces: ``seed`` gives ``--seed``. ``wildcards.NAME`` and
            ``threads`` are allowed too.
        launcher: the program that starts the step, by default Python.
        others: more options. Their values may contain Snakemake's braces.
    """
    stated = {item.rpartition(".")[2]: f"{{{_source(item)}:q}}" for item in items.split()} | others
    more = "".join(f" {_option(key)} {value}" for key, value in stated.items())
    return f'{launcher} "$SCRIPTS"/step.py {name} {{params.options}}{more} &>{{log:q}}'


def exports(**values: object) -> str:
    """Return a shell command that exports variables, for ``shell.prefix``, which reads braces as placeholders."""
    stated = (f"{name}={shlex.quote(str(value))}" for name, value in values.items())
    return f"export {' '.join(stated)}".replace("{", "{{").replace("}", "}}")


def _source(item: str) -> str:
    return item if item == "threads" or item.startswith("wildcards.") else f"params.{item}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _paths(files: str | Iterable[str]) -> list[str]:
    return [files] if isinstance(files, str) else [str(file) for file in files]
