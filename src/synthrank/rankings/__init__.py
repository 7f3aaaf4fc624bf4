"""Stage rankings: candidates of several first stages, ordered by a language model."""
