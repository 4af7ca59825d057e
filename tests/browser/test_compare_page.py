"""The page of two runs in a real browser: silent, as wide as its window, readable, no letters on each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.browser import measures
from tests.browser.visit import OpenPage, Scheme
from tests.report import pages
from tests.report.compare_pages import write_comparison

pytestmark = pytest.mark.browser

NAMINGS = (pages.harmless, pages.evil)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the page with each kind of names."""
    made = tmp_path_factory.mktemp("compared")
    for naming in NAMINGS:
        write_comparison(made, naming)
    return made


@pytest.mark.parametrize("naming", NAMINGS, ids=lambda naming: naming.__name__)
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 400), ("light", 768), ("light", 1280), ("dark", 1280)]
)
def test_the_comparison_is_silent_fits_and_can_be_read(
    folder: Path, open_page: OpenPage, naming: pages.Naming, scheme: Scheme, width: int
) -> None:
    visit = open_page(folder / f"{naming.__name__}.html", width=width, scheme=scheme)

    visit.open_details()

    assert visit.measure(measures.OVERFLOW) == []
    assert visit.measure(measures.CUT_TEXTS) == []
    assert visit.measure(measures.OVERLAPS) == []
    assert visit.measure(measures.LOW_CONTRAST) == []
    assert visit.noise == []


def test_without_scripts_nothing_of_the_comparison_is_missing(
    folder: Path, open_page: OpenPage
) -> None:
    path = folder / "harmless.html"
    with_scripts = open_page(path).measure(measures.OUTLINE)

    without = open_page(path, scripts=False).measure(measures.OUTLINE)

    assert without["headings"]
    assert without == with_scripts


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_the_comparison_is_open_and_dark_on_white(
    folder: Path, open_page: OpenPage, scheme: Scheme
) -> None:
    visit = open_page(folder / "harmless.html", scheme=scheme)

    visit.page.emulate_media(media="print", color_scheme=scheme)

    assert visit.measure(measures.CLOSED_DETAILS) == []
    assert visit.measure(measures.LOW_CONTRAST) == []


def test_no_name_becomes_markup_of_the_comparison_in_a_browser(
    folder: Path, open_page: OpenPage
) -> None:
    plain, evil = (
        Counter(open_page(folder / f"{naming.__name__}.html").measure(measures.KINDS))
        for naming in NAMINGS
    )

    assert evil == plain
