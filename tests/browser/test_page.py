"""The page in a real browser: silent, whole without scripts, as wide as its window, readable, printable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.browser import measures
from tests.browser.visit import OpenPage, Scheme, Visit
from tests.report import pages
from tests.report.pages import Labelled, Naming

pytestmark = pytest.mark.browser

INK, GROUND = (
    f"getComputedStyle(document.body).{name}.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    for name in ("color", "backgroundColor")
)


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        pytest.param("light", 1280, marks=pytest.mark.core),
        ("light", 400),
        ("light", 768),
        ("dark", 1280),
    ],
)
def test_the_page_asks_for_nothing_fits_its_window_and_can_be_read(
    report: Path, open_page: OpenPage, scheme: Scheme, width: int
) -> None:
    """No request, console message, dialog or error: not on opening, not after everything was opened."""
    visit = open_page(report, scheme=scheme, width=width)

    assert visit.measure(measures.OVERFLOW) == []
    visit.open_details()
    assert measures.flaws(visit) == {}
    visit.measure("scrollTo(0, document.body.scrollHeight)")
    visit.page.wait_for_timeout(200)

    ground = sum(visit.measure(GROUND))
    assert ground > 3 * 200 if scheme == "light" else ground < 3 * 60
    assert visit.noise == []


@pytest.mark.core
def test_without_scripts_nothing_is_missing_dead_or_locked(
    report: Path, open_page: OpenPage
) -> None:
    with_scripts = open_page(report).measure(measures.OUTLINE)
    visit = open_page(report, scripts=False)

    without = visit.measure(measures.OUTLINE)
    parts = visit.page.locator("main details")
    for index in range(parts.count()):
        if parts.nth(index).get_attribute("open") is None:
            parts.nth(index).locator("> summary").click()

    assert without["headings"]
    assert without == with_scripts
    assert parts.count() > 0
    assert visit.measure(measures.CLOSED_DETAILS) == []
    assert visit.measure(measures.DEAD_CONTROLS) == []
    assert visit.noise == []


@pytest.mark.parametrize(("scheme", "scripts"), [("light", False), ("dark", True)])
def test_on_paper_every_short_table_is_open_and_ink_is_dark(
    report: Path, open_page: OpenPage, scheme: Scheme, scripts: bool
) -> None:
    """A dark page would print light letters on white paper: browsers leave grounds out."""
    visit = open_page(report, scripts=scripts, scheme=scheme)

    visit.page.emulate_media(media="print", color_scheme=scheme)

    assert visit.measure(measures.CLOSED_DETAILS) == visit.measure(measures.LONG_DETAILS)
    assert sum(visit.measure(INK)) < 3 * 100
    assert visit.measure(measures.LOW_CONTRAST) == []
    assert visit.page.pdf(format="A4", print_background=True).startswith(b"%PDF-")
    assert visit.noise == []


def test_the_keyboard_skips_to_the_content_and_opens_the_first_details(
    report: Path, open_page: OpenPage
) -> None:
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
    visit.page.locator("main details:not([open]) > summary").first.focus()
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


AXE = Path(__file__).resolve().parents[2] / ".venv" / "axe.min.js"

RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(each => ['serious', 'critical'].includes(each.impact))
  .flatMap(each => each.nodes.map(node =>
    `${each.impact} ${each.id}: ${each.help}\\n    ${node.target.join(' ')}\\n    ${node.html.slice(0, 120)}`
    + `\\n    ${node.failureSummary.split('\\n').slice(1).join(' ').trim()}`))"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing_serious(
    report: Path, open_page: OpenPage, scheme: Scheme, width: int
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: make .venv/axe.min.js")
    visit = open_page(report, scheme=scheme, width=width, bypass_csp=True)
    visit.open_details()
    visit.page.add_script_tag(path=AXE)

    found = visit.measure(RUN)

    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("draw", [pages.class_folders, pages.table])
def test_no_name_becomes_markup_in_a_browser(
    tmp_path: Path,
    tiny_model: ExportedModel,
    open_page: OpenPage,
    draw: Callable[[Path, Naming], Labelled],
) -> None:
    """The same kinds of elements; how many there are depends on tables that are drawn by the attribute's name.

    Identical blocks are compared to the last element in report/render/test_html.py.
    """
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
