"""Stage runs: TREC runs of first stages and trained rankers."""
