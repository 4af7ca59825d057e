"""A page in Chromium, and everything it did that a report must not do."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from playwright.sync_api import Browser, Dialog, Page

Scheme = Literal["light", "dark"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # CI is root in a container, and the pages are ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of $CHROMIUM, or of the first browser on PATH that we know."""
    wanted = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, (wanted,) if wanted else NAMES)), None)


@dataclass
class Visit:
    """An open page and what it was heard to do."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """All but the file itself and data: URLs."""
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Exceptions that no script caught."""

    @property
    def noise(self) -> list[str]:
        """Everything that was heard, each with what it was."""
        heard = {
            "console": self.console,
            "request": self.requests,
            "dialog": self.dialogs,
            "error": self.errors,
        }
        return [f"{what}: {text}" for what, texts in heard.items() for text in texts]

    def measure(self, script: str) -> Any:  # noqa: ANN401 - whatever the script returns
        """Return what a JavaScript expression says; it runs even where the page's own scripts are off."""
        return self.page.evaluate(script)

    def open_details(self) -> None:
        """Open every <details>, as a script of ours, not as a person."""
        self.measure("document.querySelectorAll('details').forEach(each => { each.open = true })")


class OpenPage(Protocol):
    """How a test opens a page."""

    def __call__(
        self,
        path: Path,
        *,
        scripts: bool = True,
        width: int = 1280,
        scheme: Scheme = "light",
        bypass_csp: bool = False,
    ) -> Visit:
        """Open a file in a window of its own."""
        ...


def visit(
    browser: Browser, path: Path, *, scripts: bool, width: int, scheme: Scheme, bypass_csp: bool
) -> Visit:
    """Open a file and listen from its first byte on. The caller closes visit.page.context."""
    context = browser.new_context(
        java_script_enabled=scripts,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=bypass_csp,
        reduced_motion="reduce",
    )
    page = context.new_page()
    url = path.resolve().as_uri()
    opened = Visit(page)

    page.on("console", lambda message: opened.console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: opened.errors.append(str(error)))

    def hear_request(address: str) -> None:
        if address.split("#")[0] != url and not address.startswith("data:"):
            opened.requests.append(address)

    page.on("request", lambda request: hear_request(request.url))

    def hear_dialog(dialog: Dialog) -> None:
        opened.dialogs.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", hear_dialog)
    page.goto(url)
    return opened
