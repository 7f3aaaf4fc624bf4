"""Stage queries: queries made from the passages of a corpus, and which of them are kept."""
