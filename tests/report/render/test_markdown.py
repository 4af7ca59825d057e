"""Markdown says what it is given: whatever a name holds, a reader sees the name and nothing happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fer_audit.report.blocks import Importance, Report
from fer_audit.report.render.markdown import (
    blocks_lines,
    bullets,
    escaped,
    heading,
    paragraph,
    table,
)
from fer_audit.text import visible
from tests.report.render.specimen import specimen
from tests.report.results import HOSTILE

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

BREAKOUTS = (
    '"><script>alert(1)</script>',
    "| a |",
    "a|b\\|c\\\\|d",
    "[x](javascript:1)",
    "![x](http://example.org/x.png)",
    "<http://example.org>",
    "`code` ``two`` ```three",
    "*a* _b_ **c** ~~d~~",
    "two\nlines\n\n# heading",
    "\x1b[31mred",
    "&lt;b&gt; &#60;i&#62;",
    "- item",
    "1. item",
    "12) item",
    "# heading",
    "> quote",
    "=== ---",
    "---",
    "    indented code",
    "trailing backslash \\",
    "<!-- comment",
    "-->",
    "{{ 7 * 7 }} {% raw %}",
    "$x^2$",
    "[^1]: note",
    "[x]: http://example.org",
    *HOSTILE,
)
TEXTS = st.text(
    st.sampled_from("\\`*_{}[]<>|~&$#-+=.!():;\"'/ \n\t\x1b1aw") | st.characters(), max_size=30
)


def inline_tokens(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def said(tokens: list[Token]) -> list[str]:
    """Return what a reader reads in each inline block; AssertionError if anything but text stands there."""
    for token in inline_tokens(tokens):
        assert token.type in ("text", "text_special"), token
    return [
        "".join(child.content for child in token.children or ())
        for token in tokens
        if token.type == "inline"
    ]


def shown_blocks(report: Report, least: Importance = "normal") -> list[str]:
    blocks = [block for section in report.sections for block in section.blocks]
    return blocks_lines(blocks, level=3, least=least)


def shown(text: str) -> str:
    return " ".join(visible(text).split())


@pytest.mark.parametrize("text", BREAKOUTS)
def test_a_hostile_text_reads_like_itself_in_every_place(text: str) -> None:
    others = ["before", "after"]
    cells = table(["name", text], [[text, "x"], ["y", text]], right=(1,))

    assert said(READER.parse("\n".join(paragraph(text)))) == [shown(text)]
    assert said(READER.parse("\n".join(bullets(["before", text, "after"])))) == [
        others[0],
        shown(text),
        others[1],
    ]
    assert said(READER.parse("\n".join(heading(3, text)))) == [shown(text)]
    assert said(READER.parse("\n".join(cells))) == [
        "name",
        *(shown(each) for each in (text, text, "x", "y", text)),
    ]


@given(TEXTS)
def test_no_text_is_markup(text: str) -> None:
    tokens = READER.parse(f"- {escaped(text)}")
    row = READER.parse("\n".join(table(["a", "b"], [[text, "end"]], right=())))

    kinds = {token.type for token in tokens}
    assert kinds <= {
        *("bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close"),
        *("list_item_close", "bullet_list_close"),
    }
    assert "".join(said(tokens)) == shown(text)
    assert said(row) == ["a", "b", shown(text), "end"]


@pytest.mark.parametrize("text", ["www.example.org", "http://example.org", "mailto:a@b.org"])
def test_bare_addresses_are_broken_up(text: str) -> None:
    assert text not in escaped(text)


@pytest.mark.parametrize("text", ["42.5 %", "20-29", "70+", "0-2", "how it is: so"])
def test_what_is_harmless_is_left_as_it_is(text: str) -> None:
    assert escaped(text) == text


def test_an_empty_list_is_nothing() -> None:
    assert bullets([]) == []


def test_every_kind_of_block_has_its_markdown() -> None:
    lines, whole = (shown_blocks(specimen(), least) for least in ("normal", "detail"))

    for line in (
        "summary prose",
        "### a heading",
        "- first bullet",
        "| fact name | fact value |",
        "- fix: fix statement (fix figures) fix to do List: fix files",
        "- know: know statement (know figures) know to do List: know files",
        "code to copy",
        "table title",
        "| first column | number column | sign column | climb column |",
        "| --- | ---: | --- | --- |",
        "| row holds | 1,234 | ✓ holds sign | 1/4 |",
        "table note",
    ):
        assert line in lines, line
    assert "folded table" not in lines
    assert {"folded table", "- defined term: its words"} <= set(whole)


def test_no_block_of_hostile_texts_holds_markup() -> None:
    """The tokens are those of the same report with harmless texts, and every inline token is text."""
    kinds = []
    for text in (" ".join(BREAKOUTS), "harmless"):
        report = specimen(lambda role, t=text: f"{role} {t}")  # type: ignore[misc]  # bound at once
        tokens = READER.parse("\n".join(shown_blocks(report)))
        kinds.append([token.type for token in tokens])
        assert {inline.type for inline in inline_tokens(tokens)} <= {"text", "text_special"}

    assert kinds[0] == kinds[1]
