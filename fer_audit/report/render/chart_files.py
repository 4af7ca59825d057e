"""The charts of a report as files, each as wide as a column of a paper and with its letters embedded."""

from __future__ import annotations

from pathlib import Path

from fer_audit.report.blocks import Report
from fer_audit.report.charts.theme import FileKind, save_chart
from fer_audit.report.report import charts_of
from fer_audit.store.stage import make_folder


def save_charts(report: Report, folder: Path, kind: FileKind) -> list[Path]:
    """Write each chart as a file named by its key; return the files. Raises StoreError when the folder cannot be written."""
    make_folder(folder)
    charts = charts_of(report)
    paths = [folder / f"{chart.key}.{kind}" for chart in charts]
    for chart, path in zip(charts, paths, strict=True):
        save_chart(chart, path, kind)
    return paths
