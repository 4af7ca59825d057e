"""Chromium, and the pages that are looked at in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from fer_audit.encoders.types import ExportedModel
from tests.browser.visit import FLAGS, NAMES, OpenPage, Scheme, Visit, find_chromium, visit
from tests.report.pages import demo_page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give one browser for all tests; the pages do not see each other."""
    program = find_chromium()
    if program is None:
        pytest.skip(f"no Chromium: neither $CHROMIUM nor any of {', '.join(NAMES)} is on PATH")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Give the way to open a file; what a test opened is closed after it."""
    contexts: list[BrowserContext] = []

    def open_it(
        path: Path,
        *,
        scripts: bool = True,
        width: int = 1280,
        scheme: Scheme = "light",
        bypass_csp: bool = False,
    ) -> Visit:
        opened = visit(
            chromium, path, scripts=scripts, width=width, scheme=scheme, bypass_csp=bypass_csp
        )
        contexts.append(opened.page.context)
        return opened

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def report(
    chromium: Browser,  # first: without a browser no run is worth its seconds
    tmp_path_factory: pytest.TempPathFactory,
    tiny_model: ExportedModel,
) -> Path:
    """Give a page with every section: of the demo set, or any other that $FER_AUDIT_PAGE names."""
    given = os.environ.get("FER_AUDIT_PAGE")
    if given:
        return Path(given)
    return demo_page(tmp_path_factory.mktemp("report"), tiny_model)
