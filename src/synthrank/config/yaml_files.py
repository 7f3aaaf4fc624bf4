"""Read YAML without guesses: numbers are decimal and finite, and keys do not repeat.

YAML 1.1, which PyYAML reads, takes ``010`` for 8, ``1:30`` for 90, ``yes`` for true and ``2e-5`` for text. YAML 1.2
takes them for 10, text, text and a number. A value that the two read differently is an error, except ``2e-5``, which is
a number, and a date, which is text. In quotes, everything is text.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from synthrank.errors import ConfigError
from synthrank.runtime.text_files import read_text

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DIGITS = 300
"""The digits of the longest whole number. A 64-bit float has numbers of up to 309 digits."""


class _Loader(yaml.CSafeLoader):
    """YAML that refuses repeated keys, ambiguous values and all tags but those of JSON's types."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # PyYAML would take the last value of a repeated key without a warning.
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise _error(f"key {key!r} occurs twice", node.value[place][0])
        return super().construct_mapping(node, deep)

    def whole(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        if not _WHOLE.fullmatch(text):
            raise _error(f"{text[:60]!r} has two readings; write a decimal number, or text in quotes", node)
        if len(text) > _DIGITS:
            raise _error(f"a number of {len(text)} digits; expected at most {_DIGITS}", node)
        return int(text)

    def decimal(self, node: yaml.ScalarNode) -> float:
        text = self.construct_scalar(node)
        if _DECIMAL.fullmatch(text):
            number = float(text)
        elif text.lower().lstrip("+-") in (".inf", ".nan"):
            number = math.nan
        else:
            raise _error(f"{text[:60]!r} has two readings; write a decimal number, or text in quotes", node)
        if not math.isfinite(number):
            raise _error(f"{text[:60]!r} is not a finite number; write a number, or text in quotes", node)
        return number

    def boolean(self, node: yaml.ScalarNode) -> bool:
        text = self.construct_scalar(node)
        if text not in _BOOLEANS:
            raise _error(f"{text[:60]!r} has two readings; write true or false, or text in quotes", node)
        return _BOOLEANS[text]


_TAG = "tag:yaml.org,2002:"
_Loader.yaml_constructors = {
    f"{_TAG}null": _Loader.construct_yaml_null,
    f"{_TAG}bool": _Loader.boolean,
    f"{_TAG}int": _Loader.whole,
    f"{_TAG}float": _Loader.decimal,
    f"{_TAG}timestamp": _Loader.construct_yaml_str,
    f"{_TAG}str": _Loader.construct_yaml_str,
    f"{_TAG}seq": _Loader.construct_yaml_seq,
    f"{_TAG}map": _Loader.construct_yaml_map,
    None: _Loader.construct_undefined,
}
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")  # of YAML 1.2
_Loader.add_implicit_resolver(f"{_TAG}float", _NUMBER, list("-+.0123456789"))


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def parse_yaml(text: str, origin: str, first: int = 1) -> Any:
    """Return the value of YAML text.

    Args:
        text: the YAML.
        origin: the file, for errors.
        first: the line of the file where the text starts.

    Raises:
        ConfigError: the text is not YAML, or a value has two readings. The message has the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a CSafeLoader
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + first  # libyaml counts bytes
        raise ConfigError(f"{origin}:{line}: not YAML (character U+{error.character:04X} is not allowed)") from error
    except yaml.MarkedYAMLError as error:
        place = f":{error.problem_mark.line + first}" if error.problem_mark else ""
        raise ConfigError(f"{origin}{place}: not YAML ({error.problem})") from error
    except RecursionError as error:
        raise ConfigError(f"{origin}: not YAML (nested too deeply)") from error


def find_line(origin: str, keys: Sequence[int | str]) -> str:
    """Return ``:LINE`` of the deepest of nested keys that a YAML file has, empty if there is no such file or key.

    Args:
        origin: the path of the file.
        keys: keys of mappings and places in lists, from the top of the file.
    """
    path = Path(origin)
    if path.suffix != ".yaml" or not path.is_file():
        return ""
    node, line = yaml.compose(read_text(path, ConfigError, "a YAML file"), Loader=_Loader), 0
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = next((item for item in node.value if item[0].value == str(key)), None)
        else:
            items = node.value if isinstance(node, yaml.SequenceNode) else []
            found = (items[key], items[key]) if isinstance(key, int) and key < len(items) else None
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return f":{line}" if line else ""
