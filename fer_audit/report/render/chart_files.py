"""The charts of a report as files, each as wide as a column of a paper and with its letters embedded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.theme import FileKind, save_chart
from fer_audit.store.stage import make_folder


def save_charts(charts: Sequence[Chart], folder: Path, kind: FileKind) -> list[Path]:
    """Write each chart as a file named by its key; return the files. Raises StoreError when the folder cannot be written."""
    make_folder(folder)
    paths = [folder / f"{chart.key}.{kind}" for chart in charts]
    for chart, path in zip(charts, paths, strict=True):
        save_chart(chart, path, kind)
    return paths
