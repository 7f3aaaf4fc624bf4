"""Time ``make test``: ``python benchmarks/suite.py`` runs it and writes docs/demo/tests.csv."""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
KEPT = PROJECT / "docs/demo/tests.csv"


def figures(printed: str) -> dict[str, str]:
    """Return the counts and the seconds of pytest's last line."""
    line = re.findall(r"^=+ (.*) in ([\d.]+)s\b.*=+$", printed, re.MULTILINE)[-1]
    counts = {name: count for count, name in re.findall(r"(\d+) (passed|skipped|failed|error)", line[0])}
    return {"passed": counts.get("passed", "0"), "skipped": counts.get("skipped", "0"), "seconds": line[1]}


def main() -> None:
    """Run the tests and keep the numbers if no test failed."""
    done = subprocess.run(["make", "test"], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    if done.returncode:
        sys.exit("error: a test failed; docs/demo/tests.csv is unchanged")
    found = figures(done.stdout)
    KEPT.write_text(f"{','.join(found)}\n{','.join(found.values())}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
