"""The README's pictures, from the drawn demo set: the first part of the terminal report, and a part of report.html.

python -m benchmarks.pictures
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from fer_audit.audit.types.result import AuditResult
from fer_audit.pipeline import run_audit
from fer_audit.report.render.terminal import terminal_report
from fer_audit.report.report import make_report
from fer_audit.report.view import View
from fer_audit.synth import demo_dataset

WIDTH = 100
LINES = 62
"""The findings and who is in the set; the whole report is several times as long."""
PAGE_WIDTH, PAGE_HEIGHT = 1180, 1250
SHOWN = "#clusters"
"""The part of the page that is pictured: who is in each cluster."""

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"


def main() -> None:
    """Run the demo set and write docs/pictures/report.svg and page.png."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("the picture of the page needs Chromium")
    with tempfile.TemporaryDirectory() as folder:
        run = run_audit(demo_dataset(None), Path(folder) / "run")
        if run.result is None:
            raise SystemExit("the demo run gave no result")
        terminal_picture(run.result)
        page_picture(run.folder / "report.html", chromium)


def terminal_picture(result: AuditResult) -> None:
    """Draw the first part of the terminal report as SVG."""
    whole = Console(
        record=True, width=WIDTH, file=io.StringIO(), color_system="standard", force_terminal=True
    )
    whole.print(terminal_report(make_report(View(result))))
    first = whole.export_text(styles=True).splitlines()[:LINES]
    part = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    part.print(Text.from_ansi("\n".join(first)))
    (FOLDER / "report.svg").write_text(part.export_svg(title="fer-audit run"), encoding="utf-8")


def page_picture(page: Path, chromium: str) -> None:
    """Photograph a part of the page, as a laptop shows it."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(
            viewport={"width": PAGE_WIDTH, "height": PAGE_HEIGHT},
            device_scale_factor=1.25,
            reduced_motion="reduce",
        )
        view.goto(page.as_uri())
        view.evaluate(f"document.querySelector('{SHOWN}').scrollIntoView()")
        data = view.screenshot()
        browser.close()
    Image.open(io.BytesIO(data)).convert("RGB").save(FOLDER / "page.png", optimize=True)


if __name__ == "__main__":
    main()
