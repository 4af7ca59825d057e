"""The end of a run: pictures, the page, and the mark that says that everything is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fer_audit.audit.types.result import AuditResult
from fer_audit.cluster.types import Clustering
from fer_audit.embed.types import Embeddings
from fer_audit.errors import StoreError
from fer_audit.pack.types import PackRows
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.cached_analyses import KeptCharts, audit_folder
from fer_audit.pipeline.fingerprints import RunFingerprints
from fer_audit.pipeline.libraries import keep_libraries_in
from fer_audit.pipeline.pictures import (
    kept_pictures,
    make_pictures,
    packed_shards,
    pictures_fingerprint,
)
from fer_audit.pipeline.types import Order
from fer_audit.progress import Timing
from fer_audit.report.files.pictures import Pictures, pictures_json, shared_pictures
from fer_audit.report.files.timings import read_timings, write_timings
from fer_audit.store.stage import write_text

_LEAST = "-min-cell-"


def min_cell_of_page(page_mark: str) -> int:
    """Return the --min-cell that a finished run's page was made with, 0 = none. ValueError when the mark is none of ours."""
    return int(page_mark.partition(_LEAST)[2] or 0)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What the stages before the audit made."""

    rows: PackRows
    embeddings: Embeddings
    clustering: Clustering | None
    not_clustered: str = ""
    """Why there are no clusters."""


class Finish(Order):
    """The last steps of a run, whatever was found."""

    def has_report(self, prints: RunFingerprints) -> bool:
        """Whether the page of a finished audit is the one that is asked for, with all that --pack on allows."""
        fingerprint = self._fingerprint(prints)
        if not run_folder.has_report(self.out, self._page_mark(fingerprint)):
            return False
        if self.resources.pack != "on":
            return True
        pictures = kept_pictures(self.out / run_folder.PICTURES, fingerprint, need_pixels=True)
        return pictures is not None

    def make_report(
        self, result: AuditResult, work: Callable[[], Work], prints: RunFingerprints, size: int
    ) -> AuditResult:
        """Make the pictures, write the page, and mark the run as finished again.

        `work` gives what the pictures are made from, images of `size` pixels; it is not asked while they are kept.
        Returns the result as the page shows it.
        """
        keep_libraries_in(self.cache)
        from fer_audit.audit.suppression import withhold  # scipy: a warm rerun needs neither
        from fer_audit.report.charts.theme import drawn_before
        from fer_audit.report.report import report_page  # jinja2

        with self.watch.stage("pictures", len(self.dataset)):
            pictures = self._kept_pictures(prints)
            if pictures is None:
                pictures = self._make_pictures(work(), prints, size)
                write_text(self.out / run_folder.PICTURES, pictures_json(pictures))
        with self.watch.stage("report", 1):
            least = self.report.min_cell
            shared = withhold(result, least)
            shown = shared_pictures(pictures, shared, least)
            charts = KeptCharts(audit_folder(self.cache, prints), shared, pictures.fingerprint)
            with drawn_before(charts.drawn):
                page = report_page(shared, shown, self._timings())
            charts.keep()
            write_text(self.out / run_folder.PAGE, page)
        self.mark(prints)
        return shared

    def _kept_pictures(self, prints: RunFingerprints) -> Pictures | None:
        """Return the pictures of a finished run with other rules or another --min-cell."""
        if not run_folder.is_as_marked(self.out, run_folder.PICTURES):
            return None
        fingerprint, all_pixels = self._fingerprint(prints), self.resources.pack == "on"
        try:
            path = self.out / run_folder.PICTURES
            return kept_pictures(path, fingerprint, need_pixels=all_pixels)
        except StoreError as exc:  # written by another version
            self.progress.say(f"{exc}; made again")
            return None

    def _make_pictures(self, work: Work, prints: RunFingerprints, size: int) -> Pictures:
        shards = packed_shards(
            self.dataset,
            size=size,
            pack_fingerprint=prints.pack,
            cache=self.cache,
            resources=self.resources,
        )
        return make_pictures(
            self.dataset,
            work.rows,
            work.clustering,
            shards,
            config=self.config,
            options=self.report,
            cache=self.cache,
            progress=self.progress,
            fingerprint=self._fingerprint(prints),
            not_clustered=work.not_clustered,
        )

    def mark(self, prints: RunFingerprints) -> None:
        """Write the timings, and the mark that makes the run finished."""
        write_timings(self.out / run_folder.TIMINGS, self._timings())
        names = [run_folder.RESULT, run_folder.ROWS, run_folder.VECTORS]
        names += [run_folder.ROWS_CSV] if self.csv else []
        others = [*run_folder.LIST_PATHS, run_folder.PREDICTIONS]
        others += [run_folder.PICTURES, run_folder.PAGE]
        names += [name for name in others if (self.out / name).exists()]
        fingerprint = self._fingerprint(prints)
        run_folder.mark_done(self.out, prints, self._page_mark(fingerprint), names)

    def _fingerprint(self, prints: RunFingerprints) -> str:
        return pictures_fingerprint(prints.audit, self.report)

    def _page_mark(self, fingerprint: str) -> str:
        """Return what the page depends on: the pictures, all of which are kept, and what it withholds."""
        least = self.report.min_cell
        return f"{fingerprint}{_LEAST}{least}" if least else fingerprint

    def _timings(self) -> list[Timing]:
        """Return the timings of every stage: those of an earlier call that did not have to work again come first."""
        now = {each.stage for each in self.watch.timings}
        earlier = read_timings(self.out / run_folder.TIMINGS)
        before = [replace(each, reused=True) for each in earlier if each.stage not in now]
        return [*before, *self.watch.timings]
