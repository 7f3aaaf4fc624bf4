"""Inputs of the stage rankings."""

from synthrank.needs.base import StageNeeds


class RankingNeeds(StageNeeds):
    """What pools and rankings are made from."""
