"""Models of the files under ``config/``, with one module per kind.

A module has the name of its folder under ``config/``. :func:`base.load` reads one file, :class:`study.Study` all files.
"""
