"""Stage passages: training passages for the training queries, written by people or by a language model."""
