"""Many arbitrary inputs for the ranking parser and the reStructuredText splitter.

``SYNTHRANK_EXAMPLES`` is the number of inputs, 10,000 by default.
"""

import os
from pathlib import Path

import pytest
from any_reply import check_ranking, check_readers, replies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthrank.data.sources import rst

pytestmark = pytest.mark.torture
EXAMPLES = int(os.environ.get("SYNTHRANK_EXAMPLES", "10000"))
many = settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))

MARKUP = (
    "Title\n=====\n\n", "Part\n----\n\n", "text ", "\n\n", "::\n\n    code\n\n", ".. note:: x\n\n", "* a\n", "`x`_ ",
    "|a|", "**b**", ".. _t:\n\n", "+---+\n", "====", ":ref:`a`", ".. include:: /etc/passwd\n",
    ".. raw:: html\n\n   x\n", "\x00", "\t", "   ", "\\", ".. |a| image:: b\n",
)  # fmt: skip
sources = st.text(max_size=200) | st.lists(st.sampled_from(MARKUP) | st.text(max_size=5), max_size=25).map("".join)


@many
@given(replies)
def test_the_ranking_parser_returns_an_order_or_none(text):
    check_ranking(text)


@settings(many, max_examples=max(100, EXAMPLES // 10))
@given(replies)
def test_all_readers_return_a_value_or_a_reason(text):
    check_readers(text)


@many
@given(sources)
def test_the_restructuredtext_splitter_returns_the_page(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rst, "read_text", lambda *_: text)
        (page,) = rst.read_pages(Path("pages"), ["page.rst"])
    assert page.path == "page.rst"
