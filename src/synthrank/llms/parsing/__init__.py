"""Parsers of replies, one module per task: they repair a reply only if its meaning is certain.

Every parser returns a status with the value, so that repaired and unusable replies are counted.
"""
