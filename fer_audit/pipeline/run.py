"""One call from a folder of faces to a finished run directory."""

from __future__ import annotations

import time
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
from fer_audit.pack.types import PackRows
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.cached_analyses import CachedAnalyses, extra_partitions
from fer_audit.pipeline.finish import has_report, make_report, mark
from fer_audit.pipeline.model import job_of, versions
from fer_audit.pipeline.near_pairs import near_pairs
from fer_audit.pipeline.predictions import (
    predict_all,
    prediction_sources,
    to_come,
    without_places,
)
from fer_audit.pipeline.stopwatch import Stopwatch
from fer_audit.pipeline.types import Job, Order, Run, Work
from fer_audit.pipeline.vectors import kept_vectors, make_vectors
from fer_audit.progress import Progress, Silent, Timing
from fer_audit.report.files.document import result_json
from fer_audit.store.durable import remove
from fer_audit.store.locks import folder_lock
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
    if not asked.predict and not asked.predictions:
        _refuse_unknown(dataset, config)
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


def _refuse_unknown(dataset: FaceDataset, config: AuditConfig) -> None:
    refuse_unknown_columns(dataset, config.statistics)
    refuse_unknown_subjects(config.fail_on, [each.name for each in compared(dataset)])


def _locked_run(order: Order, until: Until) -> Run:
    with order.watch.stage("model", 1):
        job = job_of(order, "embed")
    audits = until in ("audit", "report")
    sources = prediction_sources(job) if audits else ()
    heads = [head for each in sources for head in each.heads]
    _refuse_unknown(to_come(job.dataset, heads), job.config)
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
        extra = extra_partitions(rows, embeddings, clustering, job.config, job.progress)
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
        result = _judge_again(job, result)
        mark(job)
    if until == "audit" or has_report(job):
        return _done(job, result, result.dataset.failed, reused=True)

    def work() -> Work:
        rows, embeddings = _vectors(job)
        return Work(rows, embeddings, *_clusters(job, embeddings))

    shared = make_report(job, result, work)
    return _done(job, result, result.dataset.failed, reused=False, shared=shared)


def _judge_again(job: Job, result: AuditResult) -> AuditResult:
    """Write a finished result with other --fail-on rules; its page is made again."""
    from fer_audit.audit.run import judge

    stale = [run_folder.DONE, run_folder.PAGE]
    if not run_folder.is_as_marked(job.out, run_folder.PICTURES):
        stale.append(run_folder.PICTURES)
    for name in stale:
        remove(job.out / name)
    result = judge(result, job.config.fail_on)
    write_text(job.out / run_folder.RESULT, result_json(result))
    return result


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
