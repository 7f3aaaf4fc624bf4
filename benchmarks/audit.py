"""List known vulnerabilities of the installed packages, by pip-audit: ``make audit``.

Exits with 1 if a package has a known vulnerability, and with 2 if no package could be checked, because the service is
unreachable or a mirror does not have its data; pip-audit itself would report success.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

OWN = "synthrank"


def report(packages: Sequence[dict[str, Any]]) -> tuple[list[str], int]:
    """Return the lines to print and the exit code for pip-audit's list of packages."""
    others = [package for package in packages if package["name"] != OWN]
    checked = [package for package in others if "vulns" in package and not package.get("skip_reason")]
    if not checked:
        return ["error: no vulnerability service can be reached, no package was checked; run this with a network"], 2
    lines = [
        f"{package['name']} {package['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'none'}"
        for package in checked
        for found in package["vulns"]
    ]
    lines.append(f"{len(checked)} of {len(others)} packages checked, {len(lines)} known vulnerabilities")
    return lines, int(len(lines) > 1)


def main() -> None:
    """Run pip-audit on the packages of this Python; the first argument is the program."""
    folder = next(path for path in sys.path if path.endswith("site-packages"))
    command = [sys.argv[1], "--progress-spinner=off", "--format=json", "--path", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
        print((done.stderr.strip().splitlines() or ["pip-audit printed nothing"])[-1], file=sys.stderr)
    lines, code = report(packages)
    print("\n".join(lines))
    sys.exit(code)


if __name__ == "__main__":
    main()
