"""The command line of a rule is made from the names of its items."""

import shlex
import subprocess

import pytest
from snakemake.iocontainers import InputFiles, OutputFiles
from snakemake.utils import format as fill

from synthrank.workflow.command_line import exports, options, step


def named(kind, **files):
    """Return a job's files as Snakemake passes them to the function of a param."""
    found = kind()
    for name, value in files.items():
        start = len(found)
        found.extend([value] if isinstance(value, str) else value)
        found._set_name(name, start, end=None if isinstance(value, str) else len(found))
    return found


def test_options_are_the_names_and_paths_of_inputs_and_outputs():
    given = named(InputFiles, spec="config/a b.yaml", held_out=["x.txt", "y's.txt"], base=[], source="config/data")
    made = named(OutputFiles, run="results/run.trec")
    command = options(None, input=given, output=made)
    assert shlex.split(command) == [
        "--spec", "config/a b.yaml", "--held-out", "x.txt", "y's.txt", "--base", "--run", "results/run.trec",
    ]  # fmt: skip


def test_step_adds_params_wildcards_and_threads():
    assert step("rank") == 'python "$SCRIPTS"/step.py rank {params.options} &>{log:q}'
    assert step("rank", "top_k wildcards.seed threads", shard="{wildcards.scatteritem:q}") == (
        'python "$SCRIPTS"/step.py rank {params.options} --top-k {params.top_k:q} --seed {wildcards.seed:q} '
        "--threads {threads:q} --shard {wildcards.scatteritem:q} &>{log:q}"
    )
    assert step("rank", launcher="{params.launcher}").startswith('{params.launcher} "$SCRIPTS"/step.py rank ')


@pytest.mark.parametrize("value", ["a b", "it's", '"', "$HOME", "a; b & c", "{x} {} {{y}}", "`d`", "é", "\\", ""])
def test_exports_gives_a_shell_the_exact_value(value):
    command = fill(exports(SYNTHRANK_X=value), stepout=1) + '; printf %s "$SYNTHRANK_X"'
    assert subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout == value
