"""Cards show texts of strangers as text."""

import pytest
import yaml
from markdown_it import MarkdownIt

from synthrank.steps.releases.cards import write_card

ATTACKS = [
    "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](http://a.example/x.png)", "a | b", "**bold** _x_",
    "`code`", "a\n\n# Heading\n---\nlicense: mit", "{{ 7 * 7 }}", "&lt;b&gt;", "\\[x]",
]  # fmt: skip


def card(tmp_path, template, **values):
    (tmp_path / "card.j2").write_text(template)
    write_card(tmp_path, tmp_path / "card.j2", **values)
    return (tmp_path / "README.md").read_text(encoding="utf-8")


def texts(markdown):
    """Return the visible texts of a Markdown page that has only paragraphs, and check that it has nothing else."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    (inline,) = (token for token in tokens if token.type == "inline")
    assert {token.type for token in inline.children} <= {"text", "text_special"}
    return "".join(token.content for token in inline.children)


@pytest.mark.parametrize("attack", ATTACKS)
def test_value_of_a_card_is_text(tmp_path, attack):
    assert texts(card(tmp_path, "The server named its model as {{ name }}.\n", name=attack)) == (
        f"The server named its model as {' '.join(attack.split())}."
    )


@pytest.mark.parametrize("attack", [*ATTACKS, "```\n# out\n```", "`````\n# out"])
def test_block_of_code_holds_every_text(tmp_path, attack):
    (token,) = MarkdownIt().parse(card(tmp_path, '{{ text | fenced("yaml") }}\n', text=attack))
    assert token.type == "fence"
    assert token.content == attack + "\n"
    parts = card(tmp_path, "{{ parts | ingredients }}", parts={"The LLM": attack})
    assert [token.type for token in MarkdownIt().parse(parts)][-1] == "fence"


@pytest.mark.parametrize("attack", ATTACKS)
def test_counts_are_rows_of_one_table(tmp_path, attack):
    tokens = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse(card(tmp_path, '{{ counts | numbers("of all") }}', counts={attack: 1, "b": attack}))
    )
    assert [token.type for token in tokens].count("tr_open") == 3
    assert tokens[-1].type == "table_close"
    kinds = {child.type for token in tokens if token.type == "inline" for child in token.children}
    assert kinds <= {"text", "text_special"}


def test_front_matter_keeps_a_hostile_name(tmp_path):
    page = card(tmp_path, "---\nbase_model: {{ repo | tojson }}\n---\n", repo="a: b\nlicense: mit # '\"")
    assert yaml.safe_load(page.split("---\n")[1]) == {"base_model": "a: b\nlicense: mit # '\""}
