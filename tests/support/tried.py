"""The counter of a torture test's inputs."""

from dataclasses import dataclass


@dataclass
class Tried:
    """The number of inputs that a test has tried, and how many failed; a test that fails has at least one failure."""

    count: int = 0
    failed: int = 0

    def add(self, inputs: int = 1) -> None:
        """Count inputs before they are checked."""
        self.count += inputs
