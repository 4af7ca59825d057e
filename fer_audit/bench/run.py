"""One call from nothing to a `BenchResult`: the stages in the order of the work."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fer_audit.bench.autotune import autotune
from fer_audit.bench.end_to_end import WholeRun
from fer_audit.bench.file_stages import decode_speeds, pack_step, scan_step
from fer_audit.bench.machine import machine_facts
from fer_audit.bench.measure import Step, measure, ratio
from fer_audit.bench.memory import PeakMemory
from fer_audit.bench.model_stages import ModelStages, Packed, pack_once
from fer_audit.bench.options import BenchOptions
from fer_audit.bench.recommend import recommend
from fer_audit.bench.roofline import products, share_of_roofline
from fer_audit.bench.row_stages import LEAST_IMAGES, RowInputs, RowStages, drawn_inputs
from fer_audit.bench.subject import Subject, find_subject, model_measured, session_threads
from fer_audit.bench.tuning import Tuning, remember_tuning, tuning_key
from fer_audit.bench.types import (
    BenchResult,
    ModelMeasured,
    Ratio,
    Roofline,
    StageSpeed,
    Trial,
)
from fer_audit.config import AuditConfig, Resources
from fer_audit.embed.session import EmbedSession, open_sessions
from fer_audit.embed.types import Embeddings
from fer_audit.pack.workers import default_workers
from fer_audit.pipeline.libraries import keep_libraries_in
from fer_audit.progress import Progress, Silent
from fer_audit.store.locks import LOCK, folder_lock
from fer_audit.store.stage import StageFolder, cache_folder, make_folder

_NEVER_MEASURED = (
    "fetching weights and exporting the model",
    "files that come from the disk and not from memory: every file was read before it was timed",
    "session.run without our session around it: python -m benchmarks of a source checkout does that",
    "more than one device at once",
    "power and temperature limits, which a longer run may meet",
)
_DRAWN = "photographs: drawn faces are smoother, their files smaller and faster to decode"


def run_bench(
    source: Path | None,
    *,
    options: BenchOptions | None = None,
    config: AuditConfig | None = None,
    resources: Resources | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Measure this machine on a set, or on drawn faces (None).

    `config` says which model, precision and batch, `resources` which device, threads and folders.
    Works in a folder of the cache that is emptied at the end; LockedError while another bench works there.
    With `options.autotune` the best threads and batch are searched and measured with; only the threads are remembered.
    """
    options, resources = options or BenchOptions(), resources or Resources()
    progress = progress or Silent()
    machine = machine_facts()  # before we are the load
    cache = cache_folder(resources.cache_dir)
    keep_libraries_in(cache)  # the page draws charts
    with _scratch(cache) as scratch:
        subject = find_subject(
            source,
            options,
            config or AuditConfig(),
            resources,
            progress,
            scratch=scratch,
        )
        bench = _Bench(subject, options, resources, progress, cache, scratch)
        packed = bench.pack()
        trials = bench.tune(packed) if options.autotune else ()
        session, model = bench.load()
        bench.measure_files()
        roofs, ratios, embeddings = bench.measure_model(packed, session, model)
        rows = bench.measure_rows(packed, embeddings)
        time_goes = bench.measure_whole_run() if "run" in options.stages else ()
        return BenchResult(
            machine=machine,
            model=model,
            sample=subject.sample(packed.rows),
            stages=tuple(bench.speeds),
            ratios=ratios,
            rooflines=roofs,
            time_goes=time_goes,
            trials=trials,
            recommendations=recommend(machine, model, bench.speeds, ratios, trials),
            peak_method=bench.meter.method,
            rows=rows,
            not_measured=tuple(bench.missing),
        )


@contextlib.contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    """Give an empty folder of the cache: on the disk that a real run writes to."""
    folder = cache / "bench"
    make_folder(folder)
    with folder_lock(folder, wait_seconds=0):
        _empty(folder)
        try:
            yield folder
        finally:
            _empty(folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


class _Bench:
    """The stages of one measurement; speeds and gaps collect as they come."""

    def __init__(
        self,
        subject: Subject,
        options: BenchOptions,
        resources: Resources,
        progress: Progress,
        cache: Path,
        scratch: Path,
    ) -> None:
        self.subject = subject
        self.options = options
        self.resources = resources
        self.progress = progress
        self.cache = cache
        self.scratch = scratch
        self.config = subject.config
        self.workers = resources.workers or default_workers()
        self.threads = resources.threads or session_threads(subject.place)
        self.meter = PeakMemory()
        self.speeds: list[StageSpeed] = []
        self.missing: list[str] = [*_NEVER_MEASURED, *([_DRAWN] if subject.drawn else [])]

    def pack(self) -> Packed:
        """Decode every image once: the warm-up of the page cache, and the model's inputs."""
        subject = self.subject
        return pack_once(subject.dataset, self.scratch, subject.model.spec.size, self.workers)

    def tune(self, packed: Packed) -> tuple[Trial, ...]:
        """Search, remember the threads, and go on with what was found."""
        best, trials = autotune(
            self.subject.model,
            self.subject.place,
            packed.pixels,
            cores=session_threads(self.subject.place),
            batch_size=self.config.model.batch_size,
            repeats=self.options.repeats,
            progress=self.progress,
        )
        self.threads = best.threads
        self.config = self.config.having(batch_size=best.batch_size)
        subject = self.subject
        key = tuning_key(subject.origin, subject.model.precision, subject.place.provider)
        tuning = Tuning(key, best.threads, best.images_per_second)
        path = remember_tuning(self.cache, tuning)
        self.progress.say(f"{best.threads} threads are remembered in {path}")
        if best.batch_size != subject.config.model.batch_size:
            self.progress.say(
                f"try --batch-size {best.batch_size}: it is not remembered, for it changes last bits of the vectors"
            )
        return trials

    def load(self) -> tuple[EmbedSession, ModelMeasured]:
        """Load the model at the settings that are measured."""
        batch_size, threads = self.config.model.batch_size, self.threads
        started = time.perf_counter()
        (session,) = open_sessions(
            self.subject.model, self.subject.place, batch_size=batch_size, threads=threads
        )
        seconds = time.perf_counter() - started
        model, missing = model_measured(
            self.subject, threads=threads, batch_size=batch_size, load_seconds=seconds
        )
        self.missing += missing
        return session, model

    def measure_files(self) -> None:
        """Scan, decode, resize, pack."""
        wanted, dataset = self.options.stages, self.subject.dataset
        size = self.subject.model.spec.size
        if "scan" in wanted:
            self._alone(scan_step(self.subject.source, self.config, self.subject.listed))
        if "decode" in wanted:
            speeds, missing = decode_speeds(
                dataset,
                size,
                workers=self.workers,
                repeats=self.options.repeats,
                meter=self.meter,
                progress=self.progress,
            )
            self.speeds += speeds
            self.missing += missing
        if "pack" in wanted:
            folder = StageFolder.open(self.scratch / "packed", "pack", dataset.fingerprint)
            self._alone(pack_step(dataset, folder, size, self.workers))

    def measure_model(
        self, packed: Packed, session: EmbedSession, model: ModelMeasured
    ) -> tuple[tuple[Roofline, ...], tuple[Ratio, ...], Embeddings | None]:
        """Compare the three ways to vectors and the roof in turns, once the three gave the same vectors."""
        if "embed" not in self.options.stages:
            return (), (), None
        self.progress.say("comparing the vectors of all three ways before they are timed")
        ways = ModelStages(
            self.subject,
            packed,
            session,
            self.scratch,
            workers=self.workers,
            threads=self.threads,
        )
        embeddings = ways.refuse_other_vectors()
        multiply, missing = products(
            self.scratch, model.precision, self.subject.place, threads=self.threads
        )
        self.missing += missing
        speeds = measure(
            [*ways.steps(), *(each.step() for each in multiply)],
            repeats=self.options.repeats,
            meter=self.meter,
            progress=self.progress,
            warm=True,
        )
        roofs = tuple(a.measured(b) for a, b in zip(multiply, speeds[3:], strict=True))
        bare, from_pack, from_files = (
            replace(speed, share_of_roofline=share_of_roofline(speed, model, roofs))
            for speed in speeds[:3]
        )
        self.speeds += [bare, from_pack, from_files]
        ratios = (
            ratio("embed / bare", from_pack, bare),
            ratio("cold / bare", from_files, bare),
        )
        return roofs, ratios, embeddings

    def measure_rows(self, packed: Packed, embeddings: Embeddings | None) -> str:
        """Cluster, audit, report; return which rows they worked on."""
        wanted = [x for x in ("cluster", "audit", "report") if x in self.options.stages]
        if not wanted:
            return "none"
        if embeddings is not None and int(embeddings.ok.sum()) >= LEAST_IMAGES:
            what = f"the vectors of the {int(embeddings.ok.sum()):,} embedded images"
            inputs = RowInputs(self.subject.dataset, packed.rows, embeddings, what)
        else:
            inputs = drawn_inputs(self.options.rows, self.subject.facts())
        stages = RowStages(inputs, self.config, self.workers)
        for name in wanted:
            self._alone(stages.step(name))
        return inputs.what

    def measure_whole_run(self) -> tuple[tuple[str, float], ...]:
        """Run everything from an empty cache; return where the time went."""
        whole = WholeRun(
            self.subject.source,
            self.config,
            replace(
                self.resources,
                threads=self.threads,
                cache_dir=self.scratch / "whole" / "cache",
                models_dir=self.subject.models_dir,
            ),
            self.scratch,
            images=len(self.subject.dataset),
            threads=self.threads,
        )
        self._alone(whole.step())
        return whole.time_goes(samples=len(self.speeds[-1].seconds))

    def _alone(self, step: Step) -> None:
        """Measure a stage that is compared with no other."""
        self.speeds += measure(
            [step],
            repeats=self.options.repeats,
            meter=self.meter,
            progress=self.progress,
            budget_seconds=self.options.budget_seconds,
        )
