"""The README's pictures, from the drawn demo set: the terminal report, and the top of report.html.

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

from fer_audit.config import Resources
from fer_audit.pipeline import run_audit
from fer_audit.report.files.timings import read_timings
from fer_audit.report.render.terminal import terminal_report
from fer_audit.report.report import make_report
from fer_audit.report.view import View
from fer_audit.synth import demo_dataset

WIDTH = 80
PAGE_WIDTH, PAGE_HEIGHT = 1180, 1250

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"


def main() -> None:
    """Run the demo set and write docs/pictures/report.svg and page.png."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("the picture of the page needs Chromium")
    with tempfile.TemporaryDirectory() as folder:
        resources = Resources(
            cache_dir=Path(folder) / "cache"
        )  # so that the time is a first run's
        run = run_audit(demo_dataset(None), Path(folder) / "run", resources=resources)
        if run.result is None:
            raise SystemExit("the demo run gave no result")
        terminal_picture(View(run.result, timings=read_timings(run.folder / "timings.json")))
        page_picture(run.folder / "report.html", chromium)


def terminal_picture(view: View) -> None:
    """Draw the short report as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(terminal_report(make_report(view), "summary"))
    (FOLDER / "report.svg").write_text(console.export_svg(title="fer-audit run"), encoding="utf-8")


def page_picture(page: Path, chromium: str) -> None:
    """Photograph the top of the page, as a laptop shows it."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(
            viewport={"width": PAGE_WIDTH, "height": PAGE_HEIGHT},
            device_scale_factor=1.25,
            reduced_motion="reduce",
        )
        view.goto(page.as_uri())
        data = view.screenshot()
        browser.close()
    Image.open(io.BytesIO(data)).convert("RGB").save(FOLDER / "page.png", optimize=True)


if __name__ == "__main__":
    main()
