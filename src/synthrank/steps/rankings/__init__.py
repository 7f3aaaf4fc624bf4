"""Stage rankings: pool candidates of several first stages and rank them with a language model."""
