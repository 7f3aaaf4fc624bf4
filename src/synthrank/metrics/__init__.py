"""Stage metrics: measures of every run, per query."""
