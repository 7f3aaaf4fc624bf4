"""Train search rankers on data written by language models."""

__version__ = "0.1.0"
