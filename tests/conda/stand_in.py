"""A small `conda` that runs Snakemake's calls for creating an environment with py-rattler.

The solver, the packages and pip are real; only this command line is not. Channels are folders below CONDA_CHANNELS, and
packages are unpacked once, below CONDA_PKGS_DIRS.
"""

import asyncio
import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

VERSION = "26.7.1"


def main(arguments: list[str]) -> None:
    """Run one call."""
    parser = ArgumentParser(prog="conda (stand-in of the tests)", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"conda {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info").add_argument("--json", action="store_true", required=True)
    config = commands.add_parser("config")
    config.add_argument("--get", choices=["channel_priority"], required=True)
    config.add_argument("--json", action="store_true", required=True)
    clean = commands.add_parser("clean")
    for flag in ("-y", "--tarballs"):
        clean.add_argument(flag, action="store_true", required=True)
    create = commands.add_parser("env").add_subparsers(dest="what", required=True).add_parser("create")
    for flag in ("--quiet", "--no-default-packages"):
        create.add_argument(flag, action="store_true")
    for option in ("--file", "--prefix"):
        create.add_argument(option, type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.command == "info":
        base = os.environ["CONDA_STAND_IN"]
        answer(conda_prefix=base, root_prefix=base, platform="linux-64", conda_version=VERSION)
    elif given.command == "config":
        answer(get={"channel_priority": "strict"})
    elif given.command == "env":  # the remaining command, `clean`, has no archives to remove
        create_environment(given.file, given.prefix)


def answer(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")


def create_environment(file: Path, prefix: Path) -> None:
    """Create an environment from its file: conda packages first, then the pip section with the environment's pip."""
    import yaml

    described = yaml.safe_load(file.read_text(encoding="utf-8"))
    wanted = [item for item in described["dependencies"] if isinstance(item, str)]
    pinned = [line for item in described["dependencies"] if isinstance(item, dict) for line in item["pip"]]
    asyncio.run(install_packages(prefix, [name for name in described["channels"] if name != "nodefaults"], wanted))
    if pinned:
        list_ = prefix / "conda-meta" / "pip-requirements.txt"
        list_.write_text("".join(f"{line}\n" for line in pinned), encoding="utf-8")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        pip = [prefix / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input", "-r", list_]
        subprocess.run(pip, check=True, env=clean)


async def install_packages(prefix: Path, channels: list[str], wanted: list[str]) -> None:
    """Solve for packages and link them into ``prefix``."""
    from rattler import Channel, MatchSpec, VirtualPackage, install, solve

    folder = Path(os.environ["CONDA_CHANNELS"])
    found = await solve(
        [Channel((folder / name).as_uri()) for name in channels],
        [MatchSpec(spec) for spec in wanted],
        virtual_packages=VirtualPackage.detect(),
    )
    await install(found, prefix, cache_dir=os.environ["CONDA_PKGS_DIRS"], show_progress=False)


if __name__ == "__main__":
    main(sys.argv[1:])
