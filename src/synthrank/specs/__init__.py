"""Entities: what the files under ``config/`` may say, one module a kind.

A kind's folder under ``config/`` and its module here share a name. ``load`` reads one file, ``config`` all of them.
"""
