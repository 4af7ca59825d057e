"""The README's picture: the first part of the terminal report on the drawn demo set, as SVG.

python -m benchmarks.pictures
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fer_audit.pipeline import run_audit
from fer_audit.report.terminal import terminal_report
from fer_audit.synth import demo_dataset

WIDTH = 100
LINES = 62
"""The verdict and who is in the set; the whole report is five times as long."""

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "report.svg"


def main() -> None:
    """Run the demo set and write docs/pictures/report.svg."""
    with tempfile.TemporaryDirectory() as folder:
        result = run_audit(demo_dataset(None), Path(folder) / "run").result
    if result is None:
        raise SystemExit("the demo run gave no result")
    whole = Console(
        record=True, width=WIDTH, file=io.StringIO(), color_system="standard", force_terminal=True
    )
    whole.print(terminal_report(result))
    first = whole.export_text(styles=True).splitlines()[:LINES]
    part = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    part.print(Text.from_ansi("\n".join(first)))
    PICTURE.write_text(part.export_svg(title="fer-audit run"), encoding="utf-8")


if __name__ == "__main__":
    main()
