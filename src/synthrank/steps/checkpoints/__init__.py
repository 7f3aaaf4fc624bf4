"""Stage checkpoints: rankers trained on training sets."""
