"""Stage validity: statistics of training sets, and their overlap with test sets."""
