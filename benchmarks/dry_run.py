"""What it takes to look at a workflow before anything runs; every job on a cluster parses it twice.

    python benchmarks/dry_run.py                     an empty Snakefile, the default experiment, the full study
    python benchmarks/dry_run.py --finished FOLDER   the default's second look too, where everything is done

FOLDER is the working directory of a finished run, as `make demo` leaves one. Seconds of the clock and of the processor:
these hardly change on a busy machine. The first parse after an edit of the code is left out: it keeps fingerprints.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

from child import Child, timed

PROJECT = Path(__file__).resolve().parents[1]
DEFAULT = ("results/tables/ood.csv", "results/tables/id.csv")
TABLES = ("id", "ood", "claims", "enrichment", "sizes", "validity", "leaks", "cost", "replies", "twolar", "rankings")
ABLATIONS = ("score", "queries", "sources", "depth", "loss")
FIGURES = ("claims", "differences", "enrichment", "passages", "sizes")
EVERYTHING = (
    *(f"results/tables/{name}.csv" for name in TABLES),
    *(f"results/tables/ablation-{name}.csv" for name in ABLATIONS),
    *(f"results/figures/{name}.svg" for name in FIGURES),
)


def look(snakefile: Path, folder: Path, *options: str) -> Child:
    """Look at a workflow once."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder)]
    return timed([*command, "--dry-run", "--quiet", "rules", *options], folder)


def line(what: str, child: Child) -> str:
    """Return a line of figures; the jobs are those that Snakemake would run."""
    found = re.search(r"^total +(\d+)", child.output, re.MULTILINE)
    return f"{what},{found[1] if found else 0},{child.seconds:.1f},{child.processor_seconds:.2f},{child.peak_mb:.0f}\n"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=Path)
    options = parser.parse_args()
    snakefile = PROJECT / "Snakefile"
    sys.stdout.write("what,jobs,seconds,processor_seconds,peak_mb\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(PROJECT / "config", folder / "config")
        empty = folder / "Snakefile"
        empty.write_text("rule all:\n    input:\n        [],\n")
        sys.stdout.write(line("an empty Snakefile", look(empty, folder)))
        look(snakefile, folder, "--", *DEFAULT)
        sys.stdout.write(line("the default with nothing built", look(snakefile, folder, "--", *DEFAULT)))
        if options.finished:
            sys.stdout.write(line("the default finished", look(snakefile, options.finished.resolve(), "--", *DEFAULT)))
        paper = look(snakefile, folder, "--configfile", "config/paper.yaml", "--", *EVERYTHING)
        sys.stdout.write(line("the full study with every table and figure", paper))


if __name__ == "__main__":
    main()
