"""Prose of reStructuredText pages for Sphinx."""

from pathlib import Path

import pytest

from synthrank.data.sources.rst import read_pages
from synthrank.errors import DataError

PAGE = """\
.. _top:

=========
The |name|
=========

.. |name| replace:: Page
.. include:: /etc/passwd
.. toctree::

   other

Intro with :class:`~demo.models.Model`, :ref:`shown text <top>`, :func:`_orm.join`, :meth:`!save`, :meth:`@send`
and `a link`_.

.. _a link: http://localhost

.. note:: A note

   goes on.

.. code-block:: python

   secret_code()

Like this::

   more_code()

.. _inner-label:

A ``literal`` heading
---------------------

.. versionchanged:: 1.2 Inline change
   of two lines.

.. versionadded:: 1.3
   Text right below.

.. admonition:: A title

   Admonished.

.. unknown-thing:: x
   :option: y

   Not prose.

* first item
* second item ends.

  It has two paragraphs.

term
   What it means

.. function:: api(x)

   Describes an API.

>>> doctest()

========  =====
a table   cells
========  =====

Text with |undefined| and :doc:`other` and :ref:`inner-label` and :ref:`no-such-label`.

:unknown:`role` stays. Broken *emphasis here
"""


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, list[str]]:
    (tmp_path / "page.rst").write_text(PAGE)
    (tmp_path / "other.rst").write_text("Other title\n===========\n\nText.\n")
    first, second = read_pages(tmp_path, ["page.rst", "other.rst"])
    assert (second.root.heading, second.root.blocks) == ("Other title", ("Text.",))
    assert first.root.heading == "The Page"
    (inner,) = first.root.sections
    assert inner.heading == "A literal heading"
    return {"top": list(first.root.blocks), "inner": list(inner.blocks)}


def test_read_pages_replaces_roles_with_their_text(pages: dict[str, list[str]]) -> None:
    assert pages["top"] == [
        "Intro with Model, shown text, join, save, send and a link.",
        "A note",
        "goes on.",
        "Like this:",
    ]


def test_read_pages_keeps_only_directives_with_prose(pages: dict[str, list[str]]) -> None:
    assert pages["inner"] == [
        "Inline change of two lines.",
        "Text right below.",
        "Admonished.",
        "first item;",
        "second item ends. It has two paragraphs.",
        "term: What it means.",
        "Text with undefined and Other title and A literal heading and no such label.",
        "role stays. Broken *emphasis here",
    ]


def test_read_pages_restores_docutils(tmp_path: Path) -> None:
    from docutils.parsers.rst import directives, roles

    before = directives.directive, roles.role
    (tmp_path / "a.rst").write_text("A\n=\n")
    read_pages(tmp_path, ["a.rst"])
    assert (directives.directive, roles.role) == before


def test_read_pages_refuses_a_page_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.rst").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"a\.rst:1: byte 4 of the line is not UTF-8; convert the file"):
        read_pages(tmp_path, ["a.rst"])
