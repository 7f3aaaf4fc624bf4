"""Stage queries: queries made from the passages of a corpus, and their filters."""
