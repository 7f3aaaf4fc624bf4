"""Stage passages: human and generated passages for the training queries."""
