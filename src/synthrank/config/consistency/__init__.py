"""Checks across entities, which run when the configuration is read."""
