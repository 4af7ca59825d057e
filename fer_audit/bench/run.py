"""One call from nothing to a `BenchResult`: the stages in the order of the work."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fer_audit.bench.machine import machine_facts
from fer_audit.bench.measure import Step, measure_alone, measure_in_turns, ratio
from fer_audit.bench.model_stages import ModelStages, pack_once
from fer_audit.bench.options import BenchOptions
from fer_audit.bench.stages import WholeRun, decode_step, pack_step, scan_step
from fer_audit.bench.subject import Subject, find_subject
from fer_audit.bench.types import BenchResult, ModelMeasured, Ratio, StageSpeed
from fer_audit.config import AuditConfig, Resources
from fer_audit.cores import usable_cores
from fer_audit.embed.session import EmbedSession, open_sessions
from fer_audit.embed.types import CPU
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
    """
    options, resources = options or BenchOptions(), resources or Resources()
    progress = progress or Silent()
    machine = machine_facts()  # before we are the load
    cache = cache_folder(resources.cache_dir)
    keep_libraries_in(cache)  # the page draws charts
    with _scratch(cache) as scratch:
        config = config or AuditConfig()
        subject = find_subject(source, options, config, resources, progress, scratch=scratch)
        size, workers = subject.model.spec.size, resources.workers or default_workers()
        # decoding every image once is the warm-up of the page cache, and makes the model's inputs
        packed = pack_once(subject.dataset, scratch, size, workers)
        session, model = _load(subject, resources)

        def alone(step: Step) -> StageSpeed:
            return measure_alone(step, repeats=options.repeats, progress=progress)

        stages: list[StageSpeed] = []
        ratios: tuple[Ratio, ...] = ()
        time_goes: tuple[tuple[str, float], ...] = ()
        if "scan" in options.stages:
            stages.append(alone(scan_step(subject.source, subject.config, subject.listed)))
        if "decode" in options.stages:
            with decode_step(subject.dataset, size, workers) as step:
                stages.append(alone(step))
        if "pack" in options.stages:
            folder = StageFolder.open(scratch / "packed", "pack", subject.dataset.fingerprint)
            stages.append(alone(pack_step(subject.dataset, folder, size, workers)))
        if "embed" in options.stages:
            progress.say("comparing the vectors of all three ways before they are timed")
            ways = ModelStages(
                subject, packed, session, scratch, workers=workers, threads=model.threads
            )
            ways.refuse_other_vectors()
            bare, from_pack, from_files = measure_in_turns(
                ways.steps(), repeats=options.repeats, progress=progress
            )
            stages += [bare, from_pack, from_files]
            ratios = (
                ratio("embed / bare", from_pack, bare),
                ratio("cold / bare", from_files, bare),
            )
        if "run" in options.stages:
            places = replace(resources, threads=model.threads, models_dir=subject.models_dir)
            whole = WholeRun(subject.source, subject.config, places, scratch / "whole")
            stages.append(alone(whole.step(len(subject.dataset), model.threads)))
            time_goes = whole.time_goes(len(stages[-1].seconds))
        return BenchResult(
            machine=machine,
            model=model,
            sample=subject.sample(packed.rows),
            stages=tuple(stages),
            ratios=ratios,
            time_goes=time_goes,
            not_measured=(*_NEVER_MEASURED, *([_DRAWN] if subject.drawn else [])),
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


def _load(subject: Subject, resources: Resources) -> tuple[EmbedSession, ModelMeasured]:
    """Load the model at the settings that are measured."""
    model, place, batch_size = subject.model, subject.place, subject.config.model.batch_size
    # on a GPU nothing of the graph runs on the CPU
    threads = resources.threads or (usable_cores() if place.provider == CPU else 1)
    started = time.perf_counter()
    (session,) = open_sessions(model, place, batch_size=batch_size, threads=threads)
    return session, ModelMeasured(
        name=model.spec.name,
        sha256=model.sha256,
        precision=model.precision,
        provider=place.provider,
        threads=threads,
        batch_size=batch_size,
        size=model.spec.size,
        dim=model.spec.dim,
        load_seconds=time.perf_counter() - started,
    )
