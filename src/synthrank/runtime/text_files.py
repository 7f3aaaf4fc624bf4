"""Read text that users write: UTF-8, with errors that have file and line."""

import re
from pathlib import Path

from synthrank.errors import SynthrankError

MARK = "\ufeff"
"""The byte order mark. Editors of Windows write it at the start of a file."""


def read_text(path: Path, error: type[SynthrankError], expected: str) -> str:
    """Return the text of a UTF-8 file without carriage returns and without a byte order mark at its start.

    Args:
        path: the file.
        error: the type of the errors.
        expected: the description of a right file, for the error of a file that cannot be read.

    Raises:
        SynthrankError: of the type ``error``: the file cannot be read, is not UTF-8, or has a NUL byte or a byte order
            mark at the start of a later line.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror}); expected {expected}") from problem
    lines = re.split(rb"\r\n?|\n", content)
    return "\n".join(decode_line(line, path, number, error) for number, line in enumerate(lines, 1))


def decode_line(line: bytes, path: Path, number: int, error: type[SynthrankError]) -> str:
    """Return a line of a file as text, without a byte order mark at the start of the first line.

    Args:
        line: the bytes of the line.
        path: the file, for errors.
        number: the number of the line, from 1.
        error: the type of the errors.

    Raises:
        SynthrankError: of the type ``error``: the line is not UTF-8, has a NUL byte, or starts with a misplaced byte
            order mark.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise error(
            f"{path}:{number}: byte {problem.start + 1} of the line is not UTF-8; convert the file"
        ) from problem
    if "\0" in text:
        raise error(f"{path}:{number}: character {text.index(chr(0)) + 1} of the line is NUL; expected a text file")
    if text.startswith(MARK):
        text = text[1:] if number == 1 else text
        if text.startswith(MARK):
            raise error(f"{path}:{number}: the line starts with a misplaced byte order mark (U+FEFF); remove it")
    return text
