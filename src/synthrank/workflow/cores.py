"""The number of cores that profiles/default allows, which must not limit the jobs of a cluster."""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

ProfileFinder = Callable[[str], tuple[Path, Path] | None]
"""Takes a profile as on the command line and returns its folder and its file."""


def runs_on_cluster(words: Sequence[str], profile: str, find_profile: ProfileFinder) -> bool:
    """Return whether Snakemake's jobs run on other machines and the command states no number of cores.

    While rules are read, Snakemake does not provide the executor. It is read from the command line and the profile.

    Args:
        words: the command line of Snakemake without the program.
        profile: the value of SNAKEMAKE_PROFILE, used if the command line names no profile.
        find_profile: Snakemake's function that finds a profile.
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--profile", default=profile)
    parser.add_argument("--executor", "-e", default="")
    parser.add_argument("--cores", "-c", nargs="?", const="all", default="")
    options, _ = parser.parse_known_args(words)
    executor = options.executor or _executor_of(options.profile, find_profile)
    return not options.cores and executor not in ("", "local", "dryrun", "touch")


def _executor_of(profile: str, find_profile: ProfileFinder) -> str:
    """Return the executor that a profile states, or an empty string."""
    found = find_profile(profile) if profile else None
    # Snakemake has read the file, in which `yes` is true.
    content = yaml.safe_load(Path(found[1]).read_text(encoding="utf-8")) if found else None
    return str(content.get("executor", "")) if isinstance(content, dict) else ""
