"""The whole walk: files -> pixels -> vectors -> clusters -> statements -> a run directory.

The only file that knows every room. Every stage is named by a fingerprint of what it depends on, so the same command
continues where it stopped, and a change of k or of a label never embeds anything twice.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from fer_audit import __version__
from fer_audit.audit.run import audit_dataset
from fer_audit.audit.types import AuditResult
from fer_audit.cluster.run import (
    cluster_embeddings,
    cluster_fingerprint,
    load_clustering,
    save_clustering,
)
from fer_audit.cluster.types import Clustering, NotClusterable
from fer_audit.config import AuditConfig, Resources, Timing
from fer_audit.cores import usable_cores
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset, printable_id
from fer_audit.embed.run import (
    embed_fingerprint,
    embed_shard,
    join_shards,
    load_embeddings,
    missing_shards,
)
from fer_audit.embed.session import EmbedSession, choose_provider, runtime_version
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.sidecar import refuse_foreign_parts
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ConfigError, DatasetError, StoreError
from fer_audit.fingerprint import stage_fingerprint
from fer_audit.pack.build import ShardMaker, keep_pixels, pack_fingerprint, pixels_bytes
from fer_audit.pack.types import PackRows
from fer_audit.progress import Progress, Silent
from fer_audit.report.document import read_result, result_json
from fer_audit.report.rows import write_rows_csv, write_rows_parquet
from fer_audit.report.timings import write_timings
from fer_audit.store import (
    StageFolder,
    cache_folder,
    file_sha256,
    folder_lock,
    make_folder,
    sweep_temporaries,
    write_text,
)
from fer_audit.synth import check_planted

Until = Literal["embed", "cluster", "audit"]

RESULT = "result.json"
TIMINGS = "timings.json"
DONE = "DONE.json"
"""Written last: the fingerprints of a run and the checksums of its files."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run directory and what is in it."""

    folder: Path
    dataset: FaceDataset
    result: AuditResult | None
    """None when only an earlier stage was asked for."""
    timings: tuple[Timing, ...]
    reused: bool
    """Whether everything was there already."""


class Stopwatch:
    """Collects how long each stage took."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []

    @contextmanager
    def stage(self, name: str, items: int) -> Iterator[None]:
        """Time the block."""
        started = time.perf_counter()
        yield
        self.timings.append(Timing(name, items, time.perf_counter() - started))


def run_audit(
    source: Path | str | FaceDataset,
    out: Path | str,
    *,
    config: AuditConfig | None = None,
    resources: Resources | None = None,
    until: Until = "audit",
    csv: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Audit a dataset and leave everything in the run directory `out`.

    The same call continues an interrupted run and returns a finished one at once.
    `until` stops after the vectors or the clusters. `csv` writes rows.csv too.
    Raises the errors of `fer_audit.errors`; a single bad image is a row with a reason, never an error.
    """
    walk = _Walk(
        Path(out), config or AuditConfig(), resources or Resources(), progress or Silent()
    )
    return walk.run(source, until, csv=csv)


class _Walk:
    """One run: what it was asked, and the steps in order."""

    def __init__(
        self, out: Path, config: AuditConfig, resources: Resources, progress: Progress
    ) -> None:
        self.out = out
        self.config = config
        self.resources = resources
        self.progress = progress
        self.watch = Stopwatch()
        self.cache = cache_folder(resources.cache_dir)

    def run(self, source: Path | str | FaceDataset, until: Until, *, csv: bool) -> Run:
        with self.watch.stage("scan", 0):
            dataset = (
                source
                if isinstance(source, FaceDataset)
                else load_dataset(Path(source), self.config)
            )
        self._refuse_to_write_into_the_input(dataset)
        make_folder(self.out)
        with folder_lock(self.out, wait_seconds=0):
            sweep_temporaries(self.out)
            return self._locked_run(dataset, until, csv=csv)

    def _locked_run(self, dataset: FaceDataset, until: Until, *, csv: bool) -> Run:
        with self.watch.stage("model", 1):
            model = self._model()
            provider = choose_provider(self.resources.device)
        facts = ModelFacts(
            model.spec.name,
            model.sha256,
            provider,
            model.precision,
            model.spec.dim,
            model.spec.caveat,
        )
        prints = self._fingerprints(dataset, model, provider)
        finished = None if until != "audit" else self._finished(prints, csv=csv)
        if finished is not None:
            return Run(self.out, dataset, finished, tuple(self.watch.timings), reused=True)
        (self.out / DONE).unlink(missing_ok=True)

        with self.watch.stage("embed", len(dataset)):
            rows, embeddings = self._embed(dataset, model, facts, prints)
        if not embeddings.ok.any():
            raise DatasetError(
                f"None of the {len(dataset)} images in {dataset.root} could be used: "
                + _commonest(embeddings),
                hint="Look at the files, or point fer-audit at another folder.",
            )
        self._place_vectors(prints["embed"])
        clustering, trouble = None, "not asked for"
        if until != "embed":
            with self.watch.stage("cluster", int(embeddings.ok.sum())):
                clustering, trouble = self._cluster(embeddings, prints)
        files = [
            "embeddings.npy",
            *self._write_rows(dataset, rows, embeddings, clustering, csv=csv),
        ]
        result = None
        if until == "audit":
            with self.watch.stage("audit", len(dataset)):
                result = self._audit(dataset, rows, embeddings, clustering)
            write_text(self.out / RESULT, result_json(result))
            files.append(RESULT)
            write_timings(self.out / TIMINGS, self.watch.timings)
            self._mark_done(prints, files)
        return Run(self.out, dataset, result, tuple(self.watch.timings), reused=False)

    def _refuse_to_write_into_the_input(self, dataset: FaceDataset) -> None:
        if self.out.resolve().is_relative_to(dataset.root.resolve()):
            raise ConfigError(
                f"The run directory {self.out} lies inside the dataset {dataset.root}",
                hint="The input is never written to. Choose another --out.",
            )

    def _model(self) -> ExportedModel:
        return find_or_export(
            self.config.model,
            self.config.precision,
            models_dir=models_folder(self.resources.models_dir, self.resources.cache_dir),
            weights_dir=self.cache / "weights",
            progress=self.progress,
        )

    def _fingerprints(
        self, dataset: FaceDataset, model: ExportedModel, provider: str
    ) -> dict[str, str]:
        """Return what each stage's output depends on; nothing about speed is in it."""
        config = self.config
        pack = pack_fingerprint(dataset, model.spec.size)
        embed = embed_fingerprint(
            pack,
            model.sha256,
            provider=provider,
            batch_size=config.batch_size,
            runtime=runtime_version(),
        )
        cluster = cluster_fingerprint(
            embed,
            k=config.k,
            starts=config.starts,
            sweep_max=config.sweep_max,
            seed=config.seed,
            versions=(version("numpy"), version("scipy"), version("scikit-learn")),
        )
        audit = stage_fingerprint(
            "audit",
            {
                "dataset": dataset.fingerprint,
                "words": [dataset.name, dataset.label_source, *dataset.notes],
                "rejects": [[reject.item, reject.reason] for reject in dataset.rejects],
                "cluster": cluster,
                "config": dataclasses.asdict(config),
                "versions": versions(),
            },
        )
        return {
            "dataset": dataset.fingerprint,
            "pack": pack,
            "embed": embed,
            "cluster": cluster,
            "audit": audit,
        }

    def _finished(self, prints: dict[str, str], *, csv: bool) -> AuditResult | None:
        """Return the result of a finished run with the same inputs, or say why it is made again."""
        path = self.out / DONE
        if not path.exists() or self.resources.verify:
            return None
        try:
            done = json.loads(path.read_text())
            before, files = done["fingerprints"], done["files"]
        except (OSError, ValueError, KeyError, TypeError):
            self.progress.say(f"{path} cannot be read; finishing this run again")
            return None
        changed = [stage for stage in prints if before.get(stage) != prints[stage]]
        if changed:
            self.progress.say(
                f"{self.out} holds a run with other inputs; made again from: {changed[0]}"
            )
            return None
        if csv and "rows.csv" not in files:
            return None
        for name, digest in files.items():
            if not (self.out / name).exists() or file_sha256(self.out / name) != digest:
                self.progress.say(f"{self.out / name} is missing or was changed; made again")
                return None
        return read_result(self.out / RESULT)

    def _embed(
        self,
        dataset: FaceDataset,
        model: ExportedModel,
        facts: ModelFacts,
        prints: dict[str, str],
    ) -> tuple[PackRows, Embeddings]:
        """Decode and embed what is missing, the two overlapped, and return the whole."""
        n = len(dataset)
        pack_folder = StageFolder.open(self.cache, "pack", prints["pack"])
        folder = StageFolder.open(self.cache, "embed", prints["embed"])
        keep = keep_pixels(self.resources.pack, pack_folder.path, n, model.spec.size)
        maker = ShardMaker(
            dataset,
            pack_folder,
            size=model.spec.size,
            keep=keep,
            workers=self.resources.workers or usable_cores(),
        )
        with pack_folder.locked(), folder.locked():
            if self.resources.verify and (changed := maker.changed_files()):
                self.progress.say(
                    f"{len(changed)} files changed though their size and time did not, "
                    f"e.g. {printable_id(changed[0])}; everything is made again"
                )
                pack_folder.clear()
                folder.clear()
            rows, found = maker.rows(), load_embeddings(folder, facts)
            if rows is None or isinstance(found, str):
                if isinstance(found, str) and found:
                    self.progress.say(f"embedding again: {found}")
                self._embed_missing(
                    maker, folder, model, facts, n, done=not isinstance(found, str)
                )
                rows, found = maker.rows(), load_embeddings(folder, facts)
            for complaint in maker.complaints:
                self.progress.say(complaint)
        if rows is None or isinstance(found, str):
            raise StoreError(
                f"What was written to {self.cache} a moment ago cannot be read back: {found}",
                hint="The disk may be failing. Try another --cache-dir.",
            )
        if keep:
            self.progress.say(
                f"pixels kept for the next run: {pixels_bytes(n, model.spec.size) / 1e9:.2f} GB "
                f"in {pack_folder.path}"
            )
        return rows, found

    def _embed_missing(
        self,
        maker: ShardMaker,
        folder: StageFolder,
        model: ExportedModel,
        facts: ModelFacts,
        n: int,
        *,
        done: bool,
    ) -> None:
        """Walk the shards that lack rows or vectors; `done` = all vectors are there, only rows are not."""
        missing: Sequence[int] = []
        complaints: list[str] = []
        if not done:
            missing, complaints = missing_shards(folder, n)
        for complaint in complaints:
            self.progress.say(complaint)
        todo = sorted({*missing, *maker.missing_rows()})
        self.progress.start("embed", n, "images", done=n - sum(maker.length(i) for i in todo))
        session = None
        if missing:
            refuse_foreign_parts(model.path)
            session = EmbedSession(
                model,
                facts.provider,
                batch_size=self.config.batch_size,
                threads=self.resources.threads,
            )
        wanted = set(missing)
        for index, shard in zip(todo, maker.iterate(todo), strict=True):
            if session is not None and index in wanted:
                embed_shard(shard, index, session, folder)
            self.progress.advance("embed", shard.stop - shard.start)
        if not done:
            join_shards(folder, n, facts)
        self.progress.finish("embed")

    def _cluster(
        self, embeddings: Embeddings, prints: dict[str, str]
    ) -> tuple[Clustering | None, str]:
        """Return the partition, or None and why there is none."""
        folder = StageFolder.open(self.cache, "cluster", prints["cluster"])
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
                    k=self.config.k,
                    starts=self.config.starts,
                    sweep_max=self.config.sweep_max,
                    seed=self.config.seed,
                    fingerprint=prints["cluster"],
                    progress=self.progress,
                )
            except NotClusterable as exc:
                return None, str(exc)
            save_clustering(folder, clustering)
            return clustering, ""

    def _place_vectors(self, fingerprint: str) -> None:
        """Put embeddings.npy into the run directory: a second name for the cache's file where the disk can."""
        kept = StageFolder.open(self.cache, "embed", fingerprint).path / "vectors.vectors.npy"
        target = self.out / "embeddings.npy"
        if target.exists() and target.samefile(kept):
            return
        temporary = self.out / ".tmp-embeddings.npy"
        temporary.unlink(missing_ok=True)
        try:
            os.link(kept, temporary)
        except OSError:  # another disk, or a file system without hard links
            try:
                shutil.copyfile(kept, temporary)
            except OSError as exc:
                raise StoreError(f"Cannot write {target}: {exc.strerror}") from exc
        temporary.replace(target)

    def _write_rows(
        self,
        dataset: FaceDataset,
        rows: PackRows,
        embeddings: Embeddings,
        clustering: Clustering | None,
        *,
        csv: bool,
    ) -> list[str]:
        """Write the table of all files, as parquet and on request as CSV; return the names."""
        write_rows_parquet(
            self.out / "rows.parquet", dataset, rows, embeddings=embeddings, clustering=clustering
        )
        if not csv:
            (self.out / "rows.csv").unlink(missing_ok=True)
            return ["rows.parquet"]
        write_rows_csv(
            self.out / "rows.csv", dataset, rows, embeddings=embeddings, clustering=clustering
        )
        return ["rows.parquet", "rows.csv"]

    def _audit(
        self,
        dataset: FaceDataset,
        rows: PackRows,
        embeddings: Embeddings,
        clustering: Clustering | None,
    ) -> AuditResult:
        result = audit_dataset(
            dataset,
            rows,
            embeddings,
            clustering,
            config=self.config,
            versions=versions(),
            progress=self.progress,
        )
        return dataclasses.replace(result, planted=check_planted(dataset.root, result))

    def _mark_done(self, prints: dict[str, str], files: list[str]) -> None:
        digests = {name: file_sha256(self.out / name) for name in files}
        document = {"fingerprints": prints, "files": digests}
        write_text(self.out / DONE, json.dumps(document, indent=2) + "\n")


def versions() -> tuple[tuple[str, str], ...]:
    """Return (package, version) of everything that computes a number."""
    packages = ("numpy", "scipy", "scikit-learn", "pillow")
    return (
        ("fer-audit", __version__),
        *((name, version(name)) for name in packages),
        ("onnxruntime", runtime_version()),
    )


def _commonest(embeddings: Embeddings) -> str:
    """Return the commonest reasons of failure, e.g. "corrupt (12), empty (3)"."""
    reasons = embeddings.reasons[~embeddings.ok].tolist()
    counts = sorted({(-reasons.count(reason), reason) for reason in set(reasons)})
    return ", ".join(f"{reason} ({-count})" for count, reason in counts[:3])
