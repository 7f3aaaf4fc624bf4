"""What rules ask of a machine: read from the rules themselves, so that a plan cannot say anything else."""

import re
from dataclasses import dataclass
from pathlib import Path

from synthrank.files import text_lines

_RULE = re.compile(r"rule (\w+):")
_BY_ATTEMPT = re.compile(r"by_attempt\((\d+)\)")
_SETTING = re.compile(r" +(mem_mb|gpu)=(.+),")


@dataclass(frozen=True, slots=True)
class Resources:
    """What one job of a rule asks for at its first attempt.

    A number, "varies" where an entity file decides, "" where nothing is stated.
    """

    gpus: str = ""
    megabytes: str = ""


def read_resources(rules: Path) -> dict[str, Resources]:
    """Return the resources of every rule of a folder of rules."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(rules.glob("*.smk")):
        rule = ""
        for _, line in text_lines(path):
            if match := _RULE.match(line):
                rule = match[1]
                found[rule] = {}
            elif rule and (match := _SETTING.fullmatch(line)):
                amount = _BY_ATTEMPT.sub(r"\1", match[2])
                found[rule][match[1]] = amount if amount.isdecimal() else "varies"
    return {rule: Resources(item.get("gpu", ""), item.get("mem_mb", "")) for rule, item in found.items()}
