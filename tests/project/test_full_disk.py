"""A step on a full disk: one clear line, and no partial file."""

import os
import subprocess
import sys
from pathlib import Path

from small_disk import small_disk

STEP = Path(__file__).parents[1] / "support/write_much.py"


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, root: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        old = disk / "old.json"
        old.write_text("made before\n")
        log = disk / "step.log"
        for file in (disk / "results/much.json", old):
            with log.open("w") as said:  # on the same disk, like a rule's log
                done = subprocess.run(
                    [sys.executable, str(STEP), "--file", str(file)], stderr=said, check=False,
                    env={**os.environ, "PYTHONPATH": str(root / "src")},
                )  # fmt: skip
            assert done.returncode == 1
            errors = [line for line in log.read_text().splitlines() if line.startswith("error: ")]
            assert errors == [f"error: {file}: No space left on device; check free space and permissions"]
        assert old.read_text() == "made before\n"
        assert sorted(path.name for path in disk.rglob("*")) == ["old.json", "results", "step.log"]
