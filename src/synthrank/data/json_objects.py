"""Parse JSON objects more strictly than Python's reader."""

import json
from collections import Counter
from typing import Any, NoReturn

from synthrank.errors import DataError


def parse_object(line: str, place: str) -> dict[str, Any]:
    """Return the object of a JSON line.

    Args:
        line: the line.
        place: file and line, for errors.

    Raises:
        DataError: the line is not a JSON object, repeats a key, is nested too deeply, or contains NaN, an infinite
            number, a number of thousands of digits, or half of a surrogate pair, which UTF-8 cannot write.
    """
    try:
        value = _DECODER.decode(line)
        halved = _find_surrogate(value) if "\\u" in line else None
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON ({error.msg}); expected one object per line") from error
    except RecursionError as error:
        raise DataError(f"{place}: not JSON (nested too deeply); expected one object per line") from error
    except _Refused as error:
        raise DataError(f"{place}: not JSON ({error}); expected one object per line") from error
    except ValueError as error:  # int() refuses more than 4300 digits
        raise DataError(f"{place}: not JSON (a number of too many digits); expected one object per line") from error
    if not isinstance(value, dict):
        raise DataError(f"{place}: a JSON {type(value).__name__}; expected an object")
    if halved is not None:
        raise DataError(f"{place}: {halved} contains half of a surrogate pair; expected text that UTF-8 can write")
    return value


class _Refused(ValueError):
    """JSON that Python's reader accepts, with the reason for the message."""


def _find_surrogate(value: Any) -> str | None:
    """Return the key of a text with half of a surrogate pair, or None. The key of a nested text is ``KEY.KEY``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if not _is_writable(key):
            return f"key {key!a}"
        below = "" if not _is_writable(item) else _find_surrogate(item)
        if below is not None:
            return f"{key}.{below}".rstrip(".")
    return None


def _is_writable(value: Any) -> bool:
    try:
        return not isinstance(value, str) or value.encode() is not None
    except UnicodeEncodeError:
        return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Python's reader would take the last value of a repeated key."""
    value = dict(pairs)
    if len(value) < len(pairs):
        key = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _Refused(f"key {key!a} occurs twice")
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not a number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
