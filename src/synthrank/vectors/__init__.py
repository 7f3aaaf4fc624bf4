"""Vectors of texts: encoders, files of vectors, and exact search."""
