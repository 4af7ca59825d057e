"""The page in a real browser: silent, whole without scripts, as wide as its window, readable, printable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import measures
from tests.browser.visit import OpenPage, Scheme, Visit

pytestmark = pytest.mark.browser

PHONE, TABLET, LAPTOP = WIDTHS = (400, 768, 1280)


@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_asks_for_nothing_and_says_nothing(
    report: Path, open_page: OpenPage, scripts: bool
) -> None:
    """No request, console message, dialog or error: not on opening, not after everything was opened."""
    visit = open_page(report, scripts=scripts)

    visit.open_details()
    visit.measure("scrollTo(0, document.body.scrollHeight)")
    visit.page.wait_for_timeout(200)

    assert visit.noise == []


def test_without_scripts_nothing_is_missing(report: Path, open_page: OpenPage) -> None:
    with_scripts = open_page(report).measure(measures.OUTLINE)

    without = open_page(report, scripts=False).measure(measures.OUTLINE)

    assert without["headings"]
    assert without == with_scripts


def test_without_scripts_every_details_opens_by_a_click(report: Path, open_page: OpenPage) -> None:
    visit = open_page(report, scripts=False)
    parts = visit.page.locator("details")
    assert parts.count() > 0

    for index in range(parts.count()):
        part = parts.nth(index)
        if part.get_attribute("open") is None:
            part.locator("> summary").click()

    assert visit.measure(measures.CLOSED_DETAILS) == []


def test_without_scripts_no_control_is_shown_that_would_do_nothing(
    report: Path, open_page: OpenPage
) -> None:
    visit = open_page(report, scripts=False)

    visit.open_details()

    assert visit.measure(measures.DEAD_CONTROLS) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("opened", [False, True], ids=["closed", "opened"])
def test_the_page_is_never_wider_than_its_window(
    report: Path, open_page: OpenPage, width: int, opened: bool
) -> None:
    visit = open_page(report, width=width)

    if opened:
        visit.open_details()

    assert visit.measure(measures.OVERFLOW) == []


@pytest.mark.parametrize("width", [PHONE, LAPTOP])
@pytest.mark.parametrize("measure", [measures.CUT_TEXTS, measures.OVERLAPS], ids=["cut", "over"])
def test_no_text_of_a_chart_is_cut_or_lies_on_another(
    report: Path, open_page: OpenPage, width: int, measure: str
) -> None:
    visit = open_page(report, width=width)

    visit.open_details()

    assert visit.measure(measure) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_told_from_its_ground(
    report: Path, open_page: OpenPage, scheme: Scheme
) -> None:
    visit = open_page(report, scheme=scheme)

    visit.open_details()

    assert visit.measure(measures.LOW_CONTRAST) == []


def test_dark_is_dark_and_light_is_light(report: Path, open_page: OpenPage) -> None:
    grounds = [
        open_page(report, scheme=scheme).measure(
            "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)"
        )
        for scheme in ("light", "dark")
    ]

    light, dark = (sum(ground[:3]) for ground in grounds)

    assert light > 3 * 200
    assert dark < 3 * 60


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_every_details_is_open(report: Path, open_page: OpenPage, scripts: bool) -> None:
    visit = open_page(report, scripts=scripts)

    visit.page.emulate_media(media="print")

    assert visit.measure(measures.CLOSED_DETAILS) == []
    assert visit.page.pdf(format="A4", print_background=True).startswith(b"%PDF-")
    assert visit.noise == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_whatever_the_screen_was(
    report: Path, open_page: OpenPage, scheme: Scheme
) -> None:
    """A dark page would print light letters on white paper: browsers leave grounds out."""
    visit = open_page(report, scheme=scheme)

    visit.page.emulate_media(media="print", color_scheme=scheme)

    ink = visit.measure("getComputedStyle(document.body).color.match(/[0-9.]+/g).map(Number)")
    assert sum(ink[:3]) < 3 * 100
    assert visit.measure(measures.LOW_CONTRAST) == []


def test_the_first_tab_skips_to_the_content(report: Path, open_page: OpenPage) -> None:
    visit = open_page(report)

    visit.page.keyboard.press("Tab")
    link = visit.measure(measures.FOCUSED)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_timeout(50)
    landed = visit.measure(measures.FOCUSED)

    assert link["tag"] == "A"
    assert link["seen"], "a skip link must show itself when it has the focus"
    assert link["href"] == f"#{landed['id']}"
    assert visit.measure("!!document.activeElement.closest('main')")


def test_the_keyboard_reaches_and_opens_the_first_details(
    report: Path, open_page: OpenPage
) -> None:
    visit = open_page(report)
    closed = visit.page.locator("details:not([open]) > summary").first

    closed.focus()
    visit.page.keyboard.press("Enter")

    assert visit.measure("document.activeElement.closest('details').open")


def test_every_link_within_the_page_leads_to_something_that_is_shown(
    report: Path, open_page: OpenPage
) -> None:
    """Also into a closed <details>, which the browser opens by itself."""
    visit = open_page(report)
    targets = visit.measure(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
    )

    lost = [name for name in dict.fromkeys(targets) if not _leads_to(visit, name)]

    assert targets
    assert lost == []


def _leads_to(visit: Visit, name: str) -> bool:
    visit.measure(f"location.hash = {name!r}")
    found = visit.measure(f"!!document.getElementById({name!r})?.checkVisibility()")
    return bool(found)
