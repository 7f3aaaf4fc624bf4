"""Stage metrics: measure every run per query."""
