"""One call from a folder of faces to a finished run directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from fer_audit.audit.claims.confounders import refuse_unknown_columns
from fer_audit.audit.gate import refuse_unknown_subjects
from fer_audit.audit.inputs import AuditInputs, compared
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.units import half_codes
from fer_audit.classify.types import Predictions
from fer_audit.cluster.map import umap_version
from fer_audit.cluster.run import cluster_embeddings, load_clustering, save_clustering
from fer_audit.cluster.types import Clustering, NotClusterable
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.encoders.types import Model
from fer_audit.errors import ModelError
from fer_audit.pack.types import PackRows
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.cached_analyses import CachedAnalyses, audit_folder
from fer_audit.pipeline.extra_partitions import extra_partitions
from fer_audit.pipeline.fingerprints import RunFingerprints, run_fingerprints, versions
from fer_audit.pipeline.finish import Finish, Work
from fer_audit.pipeline.model import facts_of, find_model
from fer_audit.pipeline.near_pairs import grey_pixels, near_pairs
from fer_audit.pipeline.predicted_people import to_come
from fer_audit.pipeline.predictions import predict_all, prediction_sources, without_places
from fer_audit.pipeline.stopwatch import Stopwatch
from fer_audit.pipeline.types import Run
from fer_audit.pipeline.vectors import kept_vectors, make_vectors
from fer_audit.progress import Progress, Silent, Timing
from fer_audit.report.files.document import result_json
from fer_audit.store.durable import remove
from fer_audit.store.locks import folder_lock
from fer_audit.store.stage import (
    StageFolder,
    cache_folder,
    make_folder,
    sweep_temporaries,
    write_text,
)
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
    config = config or AuditConfig()
    started = time.perf_counter()
    resources, report = resources or Resources(), report or ReportSettings()
    progress = progress or Silent()
    asked = config.classifiers
    predicts = bool(asked.predict or asked.predictions or asked.classify)
    watch = Stopwatch(progress, until, predicts=predicts)
    watch.enter("scan")
    dataset = source if isinstance(source, FaceDataset) else load_dataset(Path(source), config)
    places = {
        "--out": Path(out),
        "--cache-dir": resources.cache_dir,
        "--models-dir": resources.models_dir,
    }
    beside_table = not isinstance(source, FaceDataset) and Path(source).is_file()
    run_folder.refuse_inside_input(dataset, places, beside_table=beside_table)
    if not config.classifiers.predict and not config.classifiers.predictions:
        _refuse_unknown(dataset, config)
    if report.projection == "umap":
        umap_version()  # before hours of work, not after them
    walk = _PipelineRun(
        dataset,
        Path(out),
        cache_folder(resources.cache_dir),
        config,
        resources,
        report,
        csv,
        progress,
        watch,
    )
    watch.images = len(dataset)
    watch.timings.append(Timing("scan", len(dataset), time.perf_counter() - started))
    return walk.run(until)


def _refuse_unknown(dataset: FaceDataset, config: AuditConfig) -> None:
    refuse_unknown_columns(dataset, config.statistics)
    refuse_unknown_subjects(config.fail_on, [each.name for each in compared(dataset)])


class _PipelineRun(Finish):
    """One run: what it was asked, and the steps in order; `Finish` has the last ones."""

    def run(self, until: Until) -> Run:
        make_folder(self.out)
        with folder_lock(self.out, wait_seconds=0) as held:
            if not held:
                self.progress.say(
                    f"the file system of {self.out} has no locks: start no second run there"
                )
            for folder in (self.out, self.out / run_folder.LISTS_FOLDER):
                sweep_temporaries(folder)
            return self._locked_run(until)

    def _locked_run(self, until: Until) -> Run:
        with self.watch.stage("model", 1):
            model, facts = self._model()
        prints = run_fingerprints(self.dataset, facts, model.spec.size, self.config)
        sources = prediction_sources(self, facts, prints) if until in ("audit", "report") else ()
        heads = [head for each in sources for head in each.heads]
        _refuse_unknown(to_come(self.dataset, heads), self.config)
        prints = replace(prints, predictions={each.name: each.fingerprint for each in sources})
        if until in ("audit", "report") and not self.resources.verify:
            finished = self._finished(until, model, facts, prints)
            if finished is not None:
                return finished
        remove(self.out / run_folder.DONE)
        with self.watch.stage("embed", len(self.dataset)):
            rows, embeddings = self._vectors(model, facts, prints)
        failed = int((~embeddings.ok).sum())
        clustering, why_not = None, ""
        if until != "embed":
            with self.watch.stage("cluster", int(embeddings.ok.sum())):
                clustering, why_not = self._clusters(embeddings, prints)
        run_folder.forget_result(self.out)  # it belongs to the rows before
        near = self._near_pairs(rows, embeddings, prints, model.spec.size)
        dataset, predictions = predict_all(self, sources, rows, embeddings, near)
        run_folder.write_rows(self.out, dataset, rows, embeddings, clustering, csv=self.csv)
        if until in ("embed", "cluster"):
            return self._done(None, failed, reused=False)
        with self.watch.stage("audit", len(self.dataset)):
            work = Work(rows, embeddings, clustering, why_not)
            result = self._audit(work, dataset, predictions, prints, near)
        write_text(self.out / run_folder.RESULT, result_json(result))
        self.mark(prints)  # from here on a killed run makes its report only
        shared = None
        if until == "report":
            shared = self.make_report(result, lambda: work, prints, model.spec.size)
        return self._done(result, failed, reused=False, shared=shared)

    def _finished(
        self, until: Until, model: Model, facts: ModelFacts, prints: RunFingerprints
    ) -> Run | None:
        """Return a run whose audit is finished, its page made again where another one is asked for."""
        result = run_folder.finished_result(self.out, prints, csv=self.csv, progress=self.progress)
        if result is None:
            return None
        if result.config.fail_on != self.config.fail_on:
            result = self._judge_again(result)
            self.mark(prints)
        if until == "audit" or self.has_report(prints):
            return self._done(result, result.dataset.failed, reused=True)

        def work() -> Work:
            rows, embeddings = self._vectors(model, facts, prints)
            return Work(rows, embeddings, *self._clusters(embeddings, prints))

        shared = self.make_report(result, work, prints, model.spec.size)
        return self._done(result, result.dataset.failed, reused=False, shared=shared)

    def _judge_again(self, result: AuditResult) -> AuditResult:
        """Write a finished result with other --fail-on rules; its page is made again."""
        from fer_audit.audit.run import judge

        stale = [run_folder.DONE, run_folder.PAGE]
        if not run_folder.is_as_marked(self.out, run_folder.PICTURES):
            stale.append(run_folder.PICTURES)
        for name in stale:
            remove(self.out / name)
        result = judge(result, self.config.fail_on)
        write_text(self.out / run_folder.RESULT, result_json(result))
        return result

    def _done(
        self,
        result: AuditResult | None,
        failed: int,
        *,
        reused: bool,
        shared: AuditResult | None = None,
    ) -> Run:
        timings = tuple(self.watch.timings)
        least = self.report.min_cell
        return Run(self.out, self.dataset, result, failed, timings, reused, shared, least)

    def _model(self) -> tuple[Model, ModelFacts]:
        """Return the model's file, and the provider that will run it."""
        model = find_model(self.dataset, self.config, self.resources, self.progress)
        spec = model.spec
        if spec.task != "embed":
            raise ModelError(
                f"{spec.name} gives classes and no embedding, so there is nothing to cluster",
                hint="Give --model an encoder; fer-audit models lists both kinds.",
            )
        return model, facts_of(model, self.resources)

    def _vectors(
        self, model: Model, facts: ModelFacts, prints: RunFingerprints
    ) -> tuple[PackRows, Embeddings]:
        rows, embeddings = make_vectors(self, model, facts, prints)
        run_folder.place_vectors(kept_vectors(self.cache, prints), self.out)
        return rows, embeddings

    def _clusters(
        self, embeddings: Embeddings, prints: RunFingerprints
    ) -> tuple[Clustering | None, str]:
        """Return the partition, or None and why there is none."""
        folder = StageFolder.open(self.cache, "cluster", prints.cluster)
        with folder.locked():
            found = load_clustering(folder)
            if not isinstance(found, str):
                return found, ""
            if found:
                self.progress.say(f"clustering again: {found}")
            try:
                clustering = cluster_embeddings(
                    embeddings.vectors,
                    embeddings.ok,
                    self.config.clusters,
                    seed=self.config.seed,
                    stability=True,
                    units=half_codes(self.dataset),
                    fingerprint=prints.cluster,
                    progress=self.progress,
                )
            except NotClusterable as exc:
                return None, str(exc)
            save_clustering(folder, clustering)
            return clustering, ""

    def _near_pairs(
        self, rows: PackRows, embeddings: Embeddings, prints: RunFingerprints, size: int
    ) -> Callable[[], NearPairs | None]:
        pixels = StageFolder.open(self.cache, "pack", prints.pack)
        grey = grey_pixels(self.dataset, pixels, size=size, resources=self.resources)
        return near_pairs(self.dataset, rows, embeddings, grey, audit_folder(self.cache, prints))

    def _audit(
        self,
        work: Work,
        dataset: FaceDataset,
        predictions: tuple[Predictions, ...],
        prints: RunFingerprints,
        near: Callable[[], NearPairs | None],
    ) -> AuditResult:
        from fer_audit.audit.run import audit

        extra = extra_partitions(
            work.rows, work.embeddings, work.clustering, self.config, self.progress
        )
        inputs = AuditInputs(
            dataset=dataset,
            rows=work.rows,
            embeddings=work.embeddings,
            clustering=work.clustering,
            config=without_places(self.config),
            predictions=predictions,
            extra=replace(extra, near_pairs=near),
            not_clustered=work.not_clustered,
            versions=versions(),
            planted=lambda result: check_planted(self.dataset.root, result),
        )
        store = CachedAnalyses(audit_folder(self.cache, prints), self.progress)
        result = audit(inputs, store=store, progress=self.progress)
        run_folder.write_lists(self.out, inputs)
        return result
