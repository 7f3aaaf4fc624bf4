"""Input functions of the rule files, bound to a study, without Snakemake."""

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from synthrank.config.study import Study
from synthrank.runtime.environment import data_folder
from synthrank.workflow.inputs import Inputs
from synthrank.workflow.inputs.base import named
from synthrank.workflow.inputs.templates import Templates

RULES = Path(__file__).resolve().parents[2] / "rules"
RULE = re.compile(
    r"^(?P<indent> *)rule (?P<name>\w+):\n.*?^(?P=indent)    input:\n(?P<input>.*?)^(?P=indent)    \w+:$",
    re.DOTALL | re.MULTILINE,
)


@cache
def stated() -> dict[str, str]:
    """Return the text of each named input of each rule, by ``RULE.INPUT``."""
    found = {}
    for path in sorted(RULES.glob("*.smk")):
        for rule in RULE.finditer(path.read_text(encoding="utf-8")):
            call = ast.parse(f"read({rule['input']})", mode="eval").body
            assert isinstance(call, ast.Call)
            found |= {f"{rule['name']}.{item.arg}": ast.unparse(item.value) for item in call.keywords}
    return found


class RuleInputs:
    """The input functions of all rules, for one study."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.inputs = Inputs(study)
        entity = Templates(study)
        self._names = {"inputs": self.inputs, "entity": entity, "each": entity.each, "named": named}

    def __call__(self, name: str) -> Callable[[Any], list[str]]:
        """Return the input function of ``RULE.INPUT``; entity files are in the study's folder."""
        text = stated()[name].replace("'config/", f"'{self.study.folder}/")
        function = eval(text, self._names | {"DATA": data_folder()})
        return lambda wildcards: [found] if isinstance(found := function(wildcards), str) else found

    def one(self, name: str) -> Callable[[Any], str]:
        """Return the file of an input that is always one file."""

        def path(wildcards: Any) -> str:
            (found,) = self(name)(wildcards)
            return found

        return path
