"""What axe-core, the usual checker of accessibility, says of the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.visit import OpenPage, Scheme

pytestmark = pytest.mark.browser

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
