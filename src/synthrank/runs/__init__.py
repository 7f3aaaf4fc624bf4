"""Stage runs: TREC runs of first stages and of trained rankers."""
