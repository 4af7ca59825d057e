"""What a run is asked, what it works with, and what it leaves behind."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.result import AuditResult
from fer_audit.classify.types import Said
from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.encoders.types import Head, Model
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.types import PackRows
from fer_audit.pack.workers import default_workers
from fer_audit.progress import Progress, Timing
from fer_audit.store.stage import StageFolder
from fer_audit.text import counted

USUAL = {
    "scan": (0.5, 0.00003),
    "model": (1.0, 0.0),
    "embed": (2.0, 0.012),
    "cluster": (1.0, 0.0005),
    "predict": (2.0, 0.006),
    "audit": (6.0, 0.004),
    "pictures": (1.0, 0.0008),
    "report": (4.0, 0.0003),
}
"""Stage -> (seconds, and seconds an image) on a CPU with two cores: a first guess, until a stage counts."""
Together = Callable[[], NDArray[np.int64]]
"""Gives the (n,) number of each image's unit: one person, or copies and near-identical images."""


class Stopwatch:
    """Collects how long each stage took, and says which one begins."""

    def __init__(self, progress: Progress, until: str, *, predicts: bool = False) -> None:
        self.timings: list[Timing] = []
        self.images = 0
        """Of the set; 0 while it is not known, and then nothing is guessed."""
        self._progress = progress
        stages = list(USUAL)[: list(USUAL).index(until) + 1]
        self._stages = [each for each in stages if each != "predict" or predicts]

    def enter(self, name: str) -> None:
        """Say that a stage begins."""
        at = self._stages.index(name)
        guesses = [USUAL[each][0] + USUAL[each][1] * self.images for each in self._stages[at:]]
        expected, later = (guesses[0], sum(guesses[1:])) if self.images else (0.0, 0.0)
        self._progress.stage(name, at + 1, len(self._stages), expected, later)

    @contextmanager
    def stage(self, name: str, items: int) -> Iterator[None]:
        """Time the block."""
        self.enter(name)
        started = time.perf_counter()
        yield
        seconds, day = time.perf_counter() - started, datetime.now(UTC).date().isoformat()
        self.timings.append(Timing(name, items, seconds, day=day))


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

    @property
    def workers(self) -> int:
        """Decoding processes."""
        return self.resources.workers or default_workers()


@dataclass(frozen=True, slots=True)
class RunFingerprints:
    """One fingerprint a stage, in the order of the walk; nothing about speed or rules is in any."""

    dataset: str
    pack: str
    embed: str
    cluster: str
    audit: str
    predictions: Mapping[str, str] = field(default_factory=dict)
    """That of each classifier's and each table's predictions, by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Job(Order):
    """An order with the model that it is done with, and the fingerprints of its stages."""

    model: Model
    facts: ModelFacts
    prints: RunFingerprints

    @property
    def size(self) -> int:
        """Pixels of a side of the model's images."""
        return self.model.spec.size

    def folder(self, stage: str) -> StageFolder:
        """Return the folder of a stage in the cache; audits of the same images share one, whatever their labels and settings."""
        prints = self.prints
        print_ = prints.pack if stage == "audit" else getattr(prints, stage)
        return StageFolder.open(self.cache, stage, print_)

    def maker(self, *, keep: bool) -> ShardMaker:
        """Return what decodes the images at the model's size, and with `keep` keeps their pixels."""
        return ShardMaker(
            self.dataset,
            self.folder("pack"),
            size=self.size,
            padded=self.model.spec.padded,
            keep=keep,
            workers=self.workers,
            file_seconds=self.resources.file_seconds,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What the stages before the audit made."""

    rows: PackRows
    embeddings: Embeddings
    clustering: Clustering | None
    not_clustered: str = ""
    """Why there are no clusters."""


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
