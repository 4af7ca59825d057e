"""The run directory: its files, and whether they are all there and unchanged."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.remedies.lists import LISTS
from fer_audit.audit.types.result import AuditResult
from fer_audit.dataset.listing import IMAGE_SUFFIXES, suffix_of
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, StoreError
from fer_audit.pipeline.types import Job, RunFingerprints, Work
from fer_audit.progress import Progress
from fer_audit.report.files.document import read_result
from fer_audit.report.files.rows import rows_table, write_list, write_rows_csv, write_rows_parquet
from fer_audit.store.locks import remove, sync_folder
from fer_audit.store.stage import (
    NAME_LENGTH,
    TEMPORARY,
    file_sha256,
    make_folder,
    open_plain,
    write_atomically,
    write_text,
)

RESULT = "result.json"
ROWS = "rows.parquet"
ROWS_CSV = "rows.csv"
VECTORS = "embeddings.npy"
PREDICTIONS = "predictions.parquet"
"""One row an image, and what each classifier says of it."""
TIMINGS = "timings.json"
PICTURES = "pictures.json"
PAGE = "report.html"
STARTED = "STARTED.json"
"""Written first: the fingerprints of every run that was started here, by which `purge` finds their folders in the cache."""
DONE = "DONE.json"
"""Written last: the fingerprints of a run and the checksums of its files."""
LISTS_FOLDER = "lists"
"""Folder of the full lists behind findings, each of which is in FILES."""
REMEDIES = ("balance/*", "split/*")
"""Folders of what is made from a finished run on request; no part of the run."""
REMEDY_FILES = (
    *("plan.json", "keep.parquet", "keep.txt", "keep.uid.npy", "weights.parquet"),
    *("add.csv", "donor.csv", "augment.jsonl", "split.csv", "split.json"),
)
"""All that lies there by our doing."""
LIST_PATHS = tuple(each.path for each in LISTS)
FILES = (
    *(STARTED, DONE, RESULT, ROWS, ROWS_CSV, PREDICTIONS, VECTORS, TIMINGS, PICTURES, PAGE),
    *LIST_PATHS,
)

STAGES = ("pack", "embed", "cluster")
"""Stages that have a folder of every image's data in the cache."""

MIN_CELL = "-min-cell-"
"""In the mark of a page, before the least count that it shows."""
COPY_BYTES = 1 << 20
"""Copied at a time."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def refuse_inside_input(
    dataset: FaceDataset, places: Mapping[str, Path | None], *, beside_table: bool
) -> None:
    """Raise ConfigError when a place of ours (by its option) lies in a folder that holds images.

    `beside_table`: the dataset is a table, and our places may lie in its folder, where a person works.
    """
    holding = set(dataset.source.folders())
    if beside_table:
        holding.discard(dataset.root)
    for option, place in places.items():
        if place is None:
            continue
        inside = place.resolve()
        if {inside, *inside.parents} & holding or inside == dataset.root:
            raise ConfigError(
                f"{option} {place} lies inside the dataset {dataset.root}",
                hint=f"The input is never written to. Choose another {option}.",
            )


def refuse_folder_of_images(out: Path) -> None:
    """Raise ConfigError when a run directory is to be made of a folder that holds images: another dataset, by mistake."""
    if not out.is_dir() or (out / STARTED).exists():
        return
    for path in out.iterdir():
        if suffix_of(path.name) in IMAGE_SUFFIXES:
            raise ConfigError(
                f"--out {out} is no run directory, and holds images such as {path.name}",
                hint="Choose another --out: a new folder.",
            )


def note_start(out: Path, prints: RunFingerprints) -> None:
    """Add a run to those that were started here, before it writes anything to the cache."""
    noted, mine = _noted_stages(out), {stage: getattr(prints, stage) for stage in STAGES}
    if mine not in noted:
        text = json.dumps({"fingerprints": [*noted, mine]}, indent=2)
        write_text(out / STARTED, text + "\n")


def used_stages(out: Path) -> list[tuple[str, str]]:
    """Return (stage, folder name) of all that runs in this directory have used in the cache; none when it is no run."""
    pairs = [
        pair
        for stages in _noted_stages(out)  # audits have the name of their pixels
        for pair in (stages | {"audit": stages["pack"]}).items()
    ]
    return list(dict.fromkeys((stage, fingerprint[:NAME_LENGTH]) for stage, fingerprint in pairs))


def _noted_stages(out: Path) -> list[dict[str, str]]:
    """Return the fingerprints by stage that STARTED.json and DONE.json hold, as far as they can be read.

    Only plain hexadecimal counts: a name from a file never leads out of the cache.
    """
    found = []
    for name in (STARTED, DONE):
        try:
            with open_plain(out / name) as file:
                noted = json.load(file)["fingerprints"]
            runs = noted if isinstance(noted, list) else [noted]
            stages = [{stage: prints[stage] for stage in STAGES} for prints in runs]
            found += [each for each in stages if all(map(_FINGERPRINT.fullmatch, each.values()))]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def finished_result(
    out: Path, prints: RunFingerprints, *, csv: bool, progress: Progress
) -> AuditResult | None:
    """Return the result of a finished audit of the same inputs, or say why it is made again.

    Its pictures and its page may still be missing: see `has_report`.
    """
    if not (out / DONE).exists():
        return None
    before, files = read_done(out)
    if not files:
        progress.say(f"{out / DONE} cannot be read; finishing this run again")
        return None
    now = dataclasses.asdict(prints)
    changed = [stage for stage in now if before.get(stage) != now[stage]]
    if changed:
        progress.say(f"{out} holds a run with other inputs; made again from: {changed[0]}")
        return None
    if csv and ROWS_CSV not in files:
        return None
    for name, digest in files.items():
        if name not in (PICTURES, PAGE) and not _is_intact(out / name, digest):
            progress.say(f"{out / name} is missing or was changed; made again")
            return None
    try:
        return read_result(out / RESULT)
    except StoreError as exc:
        progress.say(f"{exc}; made again")
        return None


def has_report(out: Path, pictures_fingerprint: str) -> bool:
    """Whether a finished run's pictures and page are there, untouched and those that are asked for."""
    before, files = read_done(out)
    return before.get("pictures") == pictures_fingerprint and all(
        name in files and _is_intact(out / name, files[name]) for name in (PICTURES, PAGE)
    )


def is_as_marked(out: Path, name: str) -> bool:
    """Whether a file of a finished run is the one that was there when the run was marked as finished."""
    _, files = read_done(out)
    return name in files and _is_intact(out / name, files[name])


def read_done(out: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fingerprints and the checksums of a finished run, none where they cannot be read."""
    try:
        with open_plain(out / DONE) as file:
            done = json.load(file)
        prints, files = dict(done["fingerprints"]), dict(done["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}, {}
    return (prints, files) if set(files) <= set(FILES) and RESULT in files else ({}, {})


def _is_intact(path: Path, digest: str) -> bool:
    return path.exists() and file_sha256(path) == digest


def mark_done(
    out: Path, prints: RunFingerprints, pictures_fingerprint: str, files: Sequence[str]
) -> None:
    """Write the manifest that makes a run finished."""
    document = {
        "fingerprints": {**dataclasses.asdict(prints), "pictures": pictures_fingerprint},
        "files": {name: file_sha256(out / name) for name in files},
    }
    write_text(out / DONE, json.dumps(document, indent=2) + "\n")


def min_cell_of_page(page_mark: str) -> int:
    """Return the --min-cell that a finished run's page was made with, 0 = none. ValueError when the mark is none of ours."""
    return int(page_mark.partition(MIN_CELL)[2] or 0)


def forget_result(out: Path) -> None:
    """Remove a result, what was predicted for it and drawn from it, and how long it took."""
    for name in (RESULT, PREDICTIONS, PICTURES, PAGE, TIMINGS, *LIST_PATHS):
        remove(out / name)


def write_rows(job: Job, dataset: FaceDataset, work: Work) -> None:
    """Write the table of all files, as parquet and on request as CSV."""
    table = rows_table(dataset, work.rows, work.embeddings, work.clustering)
    write_rows_parquet(job.out / ROWS, table)
    remove(job.out / ROWS_CSV)
    if job.csv:
        write_rows_csv(job.out / ROWS_CSV, table)


def write_lists(out: Path, inputs: AuditInputs) -> None:
    """Write every list that has a row."""
    for each in LISTS:
        columns, rows = each.table(inputs)
        if rows:
            make_folder(out / LISTS_FOLDER)
            write_list(out / each.path, columns, rows)


def is_placed(kept: Path, out: Path) -> bool:
    """Whether the run directory's embeddings.npy is the cache's file, or a true copy of it."""
    target = out / VECTORS
    try:
        if target.samefile(kept):
            return True
        same_size = target.stat().st_size == kept.stat().st_size
    except OSError:  # one of them is not there
        return False
    return same_size and file_sha256(target) == file_sha256(kept)


def place_vectors(kept: Path, out: Path) -> None:
    """Make embeddings.npy in the run directory a hard link to the cache's file; where there are none, a checked copy."""
    if is_placed(kept, out):
        return
    target = out / VECTORS
    # a unique name: where locks do not work, another run may be placing its vectors now
    temporary = out / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        os.link(kept, temporary)
    except OSError:  # another disk, or a file system without hard links
        _copy(kept, target)
        return
    try:
        temporary.replace(target)
        sync_folder(out)
    except OSError as exc:
        raise StoreError(
            f"Cannot write {target}: {exc.strerror or exc}", hint="Choose another --out."
        ) from exc
    finally:  # a rename over another name of the same file leaves the first one
        temporary.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    try:
        file = source.open("rb")
    except OSError as exc:
        raise StoreError(f"Cannot read {source}: {exc.strerror or exc}") from exc
    with file:
        written = write_atomically(target, lambda copy: shutil.copyfileobj(file, copy, COPY_BYTES))
    if written != file_sha256(source):
        raise StoreError(
            f"{target} is not what was copied from {source}",
            hint="The disk may be failing. Try another --out.",
        )
