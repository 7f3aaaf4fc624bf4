"""Stage corpora: read, normalise, check and count corpora from any source."""
