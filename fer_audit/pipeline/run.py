"""One call from a folder of faces to a finished run directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from fer_audit.audit.claims.confounders import refuse_unknown_columns
from fer_audit.audit.gate import refuse_unknown_subjects
from fer_audit.audit.inputs import AuditInputs, compared
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.units import half_codes
from fer_audit.cluster.map import umap_version
from fer_audit.cluster.run import cluster_embeddings, load_clustering, save_clustering
from fer_audit.cluster.types import Clustering, NotClusterable
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings
from fer_audit.encoders.export import spec_of
from fer_audit.errors import StoreError
from fer_audit.pack.types import PackRows
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.cached_analyses import CachedAnalyses, KeptCharts, extra_partitions
from fer_audit.pipeline.libraries import keep_libraries_in
from fer_audit.pipeline.model import job_of, refuse_other_task, versions
from fer_audit.pipeline.near_pairs import near_pairs
from fer_audit.pipeline.pictures import kept_pictures, make_pictures, pictures_fingerprint
from fer_audit.pipeline.predictions import predict_all, prediction_sources, to_come, without_places
from fer_audit.pipeline.types import Job, Order, Run, Stopwatch, Work
from fer_audit.pipeline.vectors import kept_vectors, make_vectors
from fer_audit.progress import Progress, Silent, Timing
from fer_audit.report.files.document import result_json
from fer_audit.report.files.pictures import Pictures, pictures_json, shared_pictures
from fer_audit.report.files.timings import read_timings, write_timings
from fer_audit.store.locks import folder_lock, remove
from fer_audit.store.stage import cache_folder, make_folder, sweep_temporaries, write_text
from fer_audit.synth import check_planted

Until = Literal["embed", "cluster", "audit", "report"]


def run_audit(
    source: Path | str | FaceDataset,
    out: Path | str,
    *,
    config: AuditConfig | None = None,
    resources: Resources | None = None,
    until: Until = "report",
    csv: bool = False,
    report: ReportSettings | None = None,
    progress: Progress | None = None,
) -> Run:
    """Audit a dataset and leave everything in the run directory `out`.

    The same call continues an interrupted run and returns a finished one at once.
    `until` stops after the vectors, the clusters or the result. `csv` writes rows.csv too. `report` says what report.html shows.
    Raises the errors of `fer_audit.errors`; a single bad image is a row with a reason, never an error.
    """
    config, out = config or AuditConfig(), Path(out)
    started = time.perf_counter()
    resources, report = resources or Resources(), report or ReportSettings()
    progress = progress or Silent()
    asked = config.classifiers
    predicts = bool(asked.predict or asked.predictions or asked.classify)
    watch = Stopwatch(progress, until, predicts=predicts)
    watch.enter("scan")
    dataset = source if isinstance(source, FaceDataset) else load_dataset(Path(source), config)
    caches = {"--cache-dir": resources.cache_dir, "--models-dir": resources.models_dir}
    beside_table = not isinstance(source, FaceDataset) and Path(source).is_file()
    run_folder.refuse_inside_input(dataset, {"--out": out, **caches}, beside_table=beside_table)
    if not predicts:
        _refuse_unknown(dataset, config)
    run_folder.refuse_folder_of_images(out)
    refuse_other_task(spec_of(config.model.model, resources), "embed")
    for each in asked.predict:
        refuse_other_task(spec_of(each, resources), "classify")
    if report.projection == "umap":
        umap_version()  # before hours of work, not after them
    cache = cache_folder(resources.cache_dir)
    order = Order(dataset, out, cache, config, resources, report, csv, progress, watch)
    watch.images = len(dataset)
    watch.timings.append(Timing("scan", len(dataset), time.perf_counter() - started))
    make_folder(out)
    with folder_lock(out, wait_seconds=0) as held:
        if not held:
            progress.say(f"the file system of {out} has no locks: start no second run there")
        for folder in (out, out / run_folder.LISTS_FOLDER):
            sweep_temporaries(folder)
        return _locked_run(order, until)


def _refuse_unknown(dataset: FaceDataset, config: AuditConfig, models: Sequence[str] = ()) -> None:
    refuse_unknown_columns(dataset, config.statistics)
    refuse_unknown_subjects(config.fail_on, [each.name for each in compared(dataset)], models)


def _locked_run(order: Order, until: Until) -> Run:
    with order.watch.stage("model", 1):
        job = job_of(order, "embed")
    audits = until in ("audit", "report")
    sources = prediction_sources(job) if audits else ()
    heads = [head for each in sources for head in each.heads]
    models = [
        name
        for each in sources
        for name in (
            each.name,
            *(f"{each.name} {x.name}" for x in each.heads if len(each.heads) > 1),
        )
    ]
    _refuse_unknown(to_come(job.dataset, heads), job.config, models)
    predictions = {each.name: each.fingerprint for each in sources}
    job = replace(job, prints=replace(job.prints, predictions=predictions))
    if audits and not job.resources.verify:
        finished = _finished(job, until)
        if finished is not None:
            return finished
    remove(job.out / run_folder.DONE)
    with job.watch.stage("embed", len(job.dataset)):
        rows, embeddings = _vectors(job)
    clustering, why_not = None, ""
    if until != "embed":
        with job.watch.stage("cluster", int(embeddings.ok.sum())):
            clustering, why_not = _clusters(job, embeddings)
    work = Work(rows, embeddings, clustering, why_not)
    failed = int((~embeddings.ok).sum())
    run_folder.forget_result(job.out)  # it belongs to the rows before
    near = near_pairs(job, rows, embeddings)
    dataset, said = predict_all(job, sources, work, near)
    run_folder.write_rows(job, dataset, work)
    if not audits:
        return _done(job, None, failed, reused=False)
    with job.watch.stage("audit", len(job.dataset)):
        extra = extra_partitions(work, job.config, job.progress)
        inputs = AuditInputs(
            dataset=dataset,
            rows=rows,
            embeddings=embeddings,
            clustering=clustering,
            config=without_places(job.config),
            predictions=said,
            extra=replace(extra, near_pairs=near),
            not_clustered=why_not,
            versions=versions(),
            planted=lambda result: check_planted(job.dataset.root, result),
        )
        result = _audit(job, inputs)
    write_text(job.out / run_folder.RESULT, result_json(result))
    mark(job)  # from here on a killed run makes its report only
    shared = make_report(job, result, lambda: work) if until == "report" else None
    return _done(job, result, failed, reused=False, shared=shared)


def _finished(job: Job, until: Until) -> Run | None:
    """Return a run whose audit is finished, its page made again where another one is asked for."""
    result = run_folder.finished_result(job.out, job.prints, csv=job.csv, progress=job.progress)
    if result is None:
        return None
    if result.config.fail_on != job.config.fail_on:
        kept = run_folder.is_as_marked(job.out, run_folder.PICTURES)
        from fer_audit.audit.run import judge

        for name in (run_folder.DONE, run_folder.PAGE):  # the page is made again
            remove(job.out / name)
        if not kept:
            remove(job.out / run_folder.PICTURES)
        result = judge(result, job.config.fail_on)
        write_text(job.out / run_folder.RESULT, result_json(result))
        mark(job)
    if until == "audit" or has_report(job):
        return _done(job, result, result.dataset.failed, reused=True)

    def work() -> Work:
        rows, embeddings = _vectors(job)
        return Work(rows, embeddings, *_clusters(job, embeddings))

    shared = make_report(job, result, work)
    return _done(job, result, result.dataset.failed, reused=False, shared=shared)


def _done(
    job: Job,
    result: AuditResult | None,
    failed: int,
    *,
    reused: bool,
    shared: AuditResult | None = None,
) -> Run:
    timings, least = tuple(job.watch.timings), job.report.min_cell
    return Run(job.out, job.dataset, result, failed, timings, reused, shared, least)


def _vectors(job: Job) -> tuple[PackRows, Embeddings]:
    rows, embeddings = make_vectors(job)
    run_folder.place_vectors(kept_vectors(job), job.out)
    return rows, embeddings


def _clusters(job: Job, embeddings: Embeddings) -> tuple[Clustering | None, str]:
    """Return the partition, or None and why there is none."""
    folder = job.folder("cluster")
    with folder.locked():
        found = load_clustering(folder)
        if not isinstance(found, str):
            return found, ""
        if found:
            job.progress.say(f"clustering again: {found}")
        try:
            clustering = cluster_embeddings(
                embeddings.vectors,
                embeddings.ok,
                job.config.clusters,
                seed=job.config.seed,
                stability=True,
                units=half_codes(job.dataset),
                fingerprint=job.prints.cluster,
                progress=job.progress,
            )
        except NotClusterable as exc:
            return None, str(exc)
        save_clustering(folder, clustering)
        return clustering, ""


def _audit(job: Job, inputs: AuditInputs) -> AuditResult:
    from fer_audit.audit.run import audit

    store = CachedAnalyses(job.folder("audit"), job.progress)
    result = audit(inputs, store=store, progress=job.progress)
    run_folder.write_lists(job.out, inputs)
    return result


def _page_mark(job: Job) -> str:
    """Return what the page depends on: the pictures, all of which are kept, and what it withholds."""
    fingerprint, least = _fingerprint(job), job.report.min_cell
    return f"{fingerprint}{run_folder.MIN_CELL}{least}" if least else fingerprint


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
    from fer_audit.report.report import report_page  # jinja2

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
