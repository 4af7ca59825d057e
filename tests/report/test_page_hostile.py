"""Names that are code: nothing of a stranger's becomes an element or an attribute of the page."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.report import pages
from tests.report.markup import Markup, read_markup
from tests.report.pages import Labelled


@dataclass(frozen=True)
class Pair:
    """Two runs of equal shape."""

    labelled: Labelled
    """The hostile set."""
    source: str
    """Its page as written."""
    evil: Markup
    harmless: Markup


@pytest.fixture(scope="module", params=[pages.class_folders, pages.table])
def pair(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tiny_model: ExportedModel,
) -> Pair:
    """Give the pages of the two ways a stranger names things: folders and files, columns and cells."""
    home = tmp_path_factory.mktemp("hostile")
    sets = [request.param(home / n.__name__ / "in", n) for n in (pages.evil, pages.harmless)]
    evil, harmless = (
        pages.write_page(each, home / f"out{i}", tiny_model).read_text(encoding="utf-8")
        for i, each in enumerate(sets)
    )
    return Pair(sets[0], evil, read_markup(evil), read_markup(harmless))


def test_no_name_becomes_an_element_or_an_attribute(pair: Pair) -> None:
    """Both pages have the same kinds of elements: a tag and the names of its attributes.

    How many there are depends on tables that are drawn by the attribute's name: identical blocks are compared to the last
    element in render/test_html.py.
    """
    assert set(pair.evil.kinds) == set(pair.harmless.kinds)


def test_every_name_is_read_as_text(pair: Pair) -> None:
    text = pair.evil.text

    assert [name for name in pair.labelled.names if not pages.is_shown(name, text)] == []


def test_no_character_moves_turns_or_hides_text(pair: Pair) -> None:
    assert sorted(set(pages.RAW.findall(pair.source))) == []


def test_a_name_is_never_part_of_a_script_or_a_style(pair: Pair) -> None:
    """What stands in these elements is not text: no escape is right there."""
    evil, harmless = (
        [(each.tag, each.text) for each in page.all("script", "style")]
        for page in (pair.evil, pair.harmless)
    )

    same = evil == harmless  # pytest would take minutes to compare two scripts letter by letter

    assert same
