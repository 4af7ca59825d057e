"""The page of two runs in a real browser: silent, as wide as its window, readable, no letters on each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.browser import measures
from tests.browser.visit import OpenPage, Scheme
from tests.report import pages
from tests.report.comparisons import write_comparison

pytestmark = pytest.mark.browser

NAMINGS = (pages.harmless, pages.evil)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the page with each kind of names."""
    made = tmp_path_factory.mktemp("compared")
    for naming in NAMINGS:
        write_comparison(made, naming)
    return made


@pytest.mark.parametrize(
    ("naming", "scheme", "width"),
    [
        *((pages.harmless, "light", 768), (pages.harmless, "dark", 400)),
        *((pages.evil, "light", 400), (pages.evil, "dark", 1280)),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_comparison_is_silent_fits_and_can_be_read(
    folder: Path, open_page: OpenPage, naming: pages.Naming, scheme: Scheme, width: int
) -> None:
    visit = open_page(folder / f"{naming.__name__}.html", width=width, scheme=scheme)

    visit.open_details()

    assert measures.flaws(visit) == {}
    assert visit.noise == []


def test_without_scripts_nothing_of_the_comparison_is_missing_and_paper_is_dark_on_white(
    folder: Path, open_page: OpenPage
) -> None:
    path = folder / "harmless.html"
    with_scripts = open_page(path).measure(measures.OUTLINE)
    visit = open_page(path, scripts=False, scheme="dark")

    without = visit.measure(measures.OUTLINE)
    visit.page.emulate_media(media="print", color_scheme="dark")

    assert without["headings"]
    assert without == with_scripts
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
