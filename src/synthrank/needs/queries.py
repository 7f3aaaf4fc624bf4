"""Inputs of the stage queries."""

from synthrank.needs.base import StageNeeds


class QueryNeeds(StageNeeds):
    """What augmentations are made from."""
