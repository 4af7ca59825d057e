"""The end of a run: pictures, the page, and the mark that says that everything is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fer_audit.audit.types.result import AuditResult
from fer_audit.errors import StoreError
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.cached_analyses import KeptCharts
from fer_audit.pipeline.libraries import keep_libraries_in
from fer_audit.pipeline.pictures import kept_pictures, make_pictures, pictures_fingerprint
from fer_audit.pipeline.types import Job, Work
from fer_audit.progress import Timing
from fer_audit.report.files.pictures import Pictures, pictures_json, shared_pictures
from fer_audit.report.files.timings import read_timings, write_timings
from fer_audit.store.stage import write_text

_LEAST = "-min-cell-"


def min_cell_of_page(page_mark: str) -> int:
    """Return the --min-cell that a finished run's page was made with, 0 = none. ValueError when the mark is none of ours."""
    return int(page_mark.partition(_LEAST)[2] or 0)


def _page_mark(job: Job) -> str:
    """Return what the page depends on: the pictures, all of which are kept, and what it withholds."""
    fingerprint, least = _fingerprint(job), job.report.min_cell
    return f"{fingerprint}{_LEAST}{least}" if least else fingerprint


def _fingerprint(job: Job) -> str:
    return pictures_fingerprint(job.prints.audit, job.report)


def _kept(job: Job) -> Pictures | None:
    path, all_pixels = job.out / run_folder.PICTURES, job.resources.pack == "on"
    return kept_pictures(path, _fingerprint(job), need_pixels=all_pixels)


def has_report(job: Job) -> bool:
    """Whether the page of a finished audit is the one that is asked for, with all that --pack on allows."""
    there = run_folder.has_report(job.out, _page_mark(job))
    return there and (job.resources.pack != "on" or _kept(job) is not None)


def make_report(job: Job, result: AuditResult, work: Callable[[], Work]) -> AuditResult:
    """Make the pictures, write the page, and mark the run as finished again.

    `work` gives what the pictures are made from; it is not asked while those of a run with other rules or another --min-cell
    are kept. Returns the result as the page shows it.
    """
    keep_libraries_in(job.cache)
    from fer_audit.audit.suppression import withhold  # scipy: a warm rerun needs neither
    from fer_audit.report.charts.theme import drawn_before
    from fer_audit.report.page import report_page  # jinja2

    with job.watch.stage("pictures", len(job.dataset)):
        pictures = None
        if run_folder.is_as_marked(job.out, run_folder.PICTURES):
            try:
                pictures = _kept(job)
            except StoreError as exc:  # written by another version
                job.progress.say(f"{exc}; made again")
        if pictures is None:
            pictures = make_pictures(job, work(), _fingerprint(job))
            write_text(job.out / run_folder.PICTURES, pictures_json(pictures))
    with job.watch.stage("report", 1):
        least = job.report.min_cell
        shared = withhold(result, least)
        shown = shared_pictures(pictures, shared, least)
        charts = KeptCharts(job.folder("audit"), shared, pictures.fingerprint)
        with drawn_before(charts.drawn):
            page = report_page(shared, shown, _timings(job))
        charts.keep()
        write_text(job.out / run_folder.PAGE, page)
    mark(job)
    return shared


def mark(job: Job) -> None:
    """Write the timings, and the mark that makes the run finished."""
    write_timings(job.out / run_folder.TIMINGS, _timings(job))
    names = [run_folder.RESULT, run_folder.ROWS, run_folder.VECTORS]
    names += [run_folder.ROWS_CSV] if job.csv else []
    others = [*run_folder.LIST_PATHS, run_folder.PREDICTIONS]
    others += [run_folder.PICTURES, run_folder.PAGE]
    names += [name for name in others if (job.out / name).exists()]
    run_folder.mark_done(job.out, job.prints, _page_mark(job), names)


def _timings(job: Job) -> list[Timing]:
    """Return the timings of every stage: those of an earlier call that did not have to work again come first."""
    now = {each.stage for each in job.watch.timings}
    earlier = read_timings(job.out / run_folder.TIMINGS)
    before = [replace(each, reused=True) for each in earlier if each.stage not in now]
    return [*before, *job.watch.timings]
