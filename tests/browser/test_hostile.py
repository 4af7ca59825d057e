"""Names that are code, in a real browser: it mends markup, runs scripts and knows more tags than a parser of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.browser import measures
from tests.browser.visit import OpenPage
from tests.report import pages
from tests.report.pages import Labelled, Naming

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("draw", [pages.class_folders, pages.table])
def test_no_name_becomes_markup_in_a_browser(
    tmp_path: Path,
    tiny_model: ExportedModel,
    open_page: OpenPage,
    draw: Callable[[Path, Naming], Labelled],
) -> None:
    kinds, visits, sets = {}, {}, {}

    for naming in (pages.harmless, pages.evil):
        home = tmp_path / naming.__name__
        sets[naming] = draw(home / "in", naming)
        visits[naming] = open_page(pages.write_page(sets[naming], home, tiny_model))
        visits[naming].open_details()
        kinds[naming] = Counter(visits[naming].measure(measures.KINDS))

    visit = visits[pages.evil]
    text = visit.measure("document.body.textContent")
    visit.page.mouse.move(200, 200)
    visit.page.wait_for_timeout(100)
    # chance tables are drawn by the attribute's name, and a rung more is a sentence in a list more
    items = [counted.pop("li ") for counted in kinds.values()]
    assert all(items)
    assert kinds[pages.evil] == kinds[pages.harmless]
    assert [name for name in sets[pages.evil].names if not pages.is_shown(name, text)] == []
    assert visit.noise == []
    for width in (400, 1280):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert visit.measure(measures.OVERFLOW) == []
    assert visit.measure(measures.CUT_TEXTS) == []
