"""Reading a reply as a grade."""

import re

from synthrank.reading.status import Read, Status

_NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?(?![\d.])")


def read_grade(text: str, lowest: int, highest: int) -> Read[int]:
    """Return the whole-number grade of a reply.

    A reply that is the number alone is well-formed. Words around it are repaired only if they leave no doubt: exactly
    one number of the scale in the text. Two different ones, a fraction, or none is malformed.

    Args:
        text: the reply.
        lowest: the lowest grade.
        highest: the highest grade.
    """
    numbers = {float(number) for number in _NUMBER.findall(text)}
    grades = {int(number) for number in numbers if number == int(number) and lowest <= number <= highest}
    if text.strip().isdigit() and len(grades) == 1:
        return Read(grades.pop(), Status.WELL_FORMED)
    if len(grades) == 1 and not any(number != int(number) for number in numbers) and len(numbers - {highest}) <= 1:
        return Read(grades.pop(), Status.REPAIRED, ("words around the grade",))
    return Read(None, Status.MALFORMED, (f"no single grade from {lowest} to {highest}",))
