"""The corpora stage: collections of any source, normalised, checked and counted."""
