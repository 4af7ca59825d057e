"""What a run is asked, and what it leaves behind."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.result import AuditResult
from fer_audit.classify.types import Said
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings
from fer_audit.encoders.types import Head
from fer_audit.pipeline.stopwatch import Stopwatch
from fer_audit.progress import Progress, Timing
from fer_audit.text import counted


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What a run is asked, where it works, and whom it tells."""

    dataset: FaceDataset
    out: Path
    cache: Path
    config: AuditConfig
    resources: Resources
    report: ReportSettings
    csv: bool
    progress: Progress
    watch: Stopwatch


Together = Callable[[], NDArray[np.int64]]
"""Gives the (n,) number of each image's unit: one person, or copies and near-identical images."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Who says something of every image: a network, a table, or a classifier fitted here."""

    name: str
    fingerprint: str
    """Of what it says, known before it says it."""
    heads: tuple[Head, ...]
    """What it says something about."""
    make: Callable[[Embeddings, Together], tuple[Said, ...]]
    """What it says, from the run's vectors where it needs them; kept in the cache where it takes long."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run directory and what is in it."""

    folder: Path
    dataset: FaceDataset
    result: AuditResult | None
    """None when only an earlier stage was asked for."""
    failed: int
    """Images that could not be decoded or embedded."""
    timings: tuple[Timing, ...]
    """What this call took; timings.json has also what earlier calls did."""
    reused: bool
    """Whether everything was there already."""
    shared: AuditResult | None = None
    """The result as the page shows it, without what --min-cell withholds; None when no page was made in this call."""
    min_cell: int = 0
    """Counts below it are hidden in all that is shown of the run."""

    def __repr__(self) -> str:
        """Return one line: where the run is, and how many images it is about."""
        return f"Run({str(self.folder)!r}, {counted(len(self.dataset), 'image')})"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the summary blocks of the report."""
        if self.result is None:
            return html.escape(repr(self))
        from fer_audit.audit.suppression import withhold
        from fer_audit.report.files.timings import read_timings
        from fer_audit.report.render.html import render_fragment
        from fer_audit.report.report import make_report
        from fer_audit.report.view import View

        shown = self.shared or withhold(self.result, self.min_cell)
        timings = read_timings(self.folder / "timings.json")
        return render_fragment(make_report(View(shown, None, timings)))
