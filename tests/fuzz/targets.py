"""What is fuzzed: bytes in, a value or a refusal of ours out, and nothing else."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import numpy as np

from fer_audit.audit.gate import parse_rule
from fer_audit.audit.types.result import AuditResult
from fer_audit.cli.app import COMMANDS
from fer_audit.cli.bench import bench_command
from fer_audit.cli.run import run_command
from fer_audit.cli.settings import (
    OWN_FILE,
    audit_config,
    read_reference,
    report_settings,
    resources,
    settings_from_files,
)
from fer_audit.config import AuditConfig
from fer_audit.dataset.ages import parse_age_group, parse_years
from fer_audit.dataset.formats.utkface import (
    GENDERS,
    MAX_AGE,
    RACES,
    has_utkface_names,
    parse_name,
)
from fer_audit.dataset.load import load_dataset
from fer_audit.encoders.resnet50 import read_h5, read_tarball
from fer_audit.encoders.sidecar import check_graph, load_model
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import FerAuditError
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pipeline.run_folder import finished_result
from fer_audit.pipeline.types import RunFingerprints
from fer_audit.progress import Silent
from fer_audit.report.files.pictures import read_pictures
from fer_audit.report.files.read_run import read_finished_result
from fer_audit.report.files.timings import read_timings
from fer_audit.store.stage import StageFolder
from fer_audit.synth.check import check_planted
from fer_audit.text import encodable
from tests.fuzz import networks, seeds, set_seeds, sets
from tests.graphs import MEAN_COLOUR
from tests.report.results import bare

MAX_SECONDS = 5.0
"""For one input; more is a finding."""
MAX_BYTES = 1_500_000_000
"""Of memory, likewise."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser, or a few that read the same kind of thing."""

    feed: Callable[[bytes, Path], object]
    """Reads the bytes; the folder is empty at first and for this target alone."""
    seeds: Callable[[], Iterable[bytes]]
    """Small inputs that are read well, drawn or written by code."""
    refusals: tuple[type[Exception], ...] = (FerAuditError,)
    """What may come out instead of a value."""
    longest: int = 4_096
    """Bytes of an input."""


def feed_image(data: bytes, folder: Path) -> None:
    """Decode as a run does."""
    size = 224 if len(data) % 2 else 48
    found = decode_image(data, "face.jpg", size)
    assert found.pixels.shape == (size, size, 3)
    assert found.pixels.dtype == np.uint8
    assert found.pixels.flags.c_contiguous
    assert min(found.width, found.height) >= 1


def feed_sidecar(data: bytes, folder: Path) -> None:
    """Read the JSON that vouches for a model."""
    model = folder / "m.onnx"
    if not model.exists():
        model.write_bytes(seeds.MODEL)
    (folder / "m.json").write_bytes(data)
    load_model(model)


def feed_onnx(data: bytes, folder: Path) -> None:
    """Look for foreign parts in a model."""
    path = folder / "m.onnx"
    path.write_bytes(data)
    check_graph(ExportedModel(MEAN_COLOUR, path, hashlib.sha256(data).hexdigest(), "fp32"))


def feed_weights(data: bytes, folder: Path) -> None:
    """Read weights from both kinds of file. In the program a pinned hash stands before both."""
    if data.startswith(b"\x89HDF"):
        path = folder / "w.h5"
        path.write_bytes(data)
        read_h5(path)
    else:
        path = folder / "w.tgz"
        path.write_bytes(gzip.compress(data, 0, mtime=0))  # the tar is the target, not its sum
        read_tarball(path)


def feed_settings(data: bytes, folder: Path) -> None:
    """Read fer-audit.toml, and what a verb makes of it."""
    (folder / OWN_FILE).write_bytes(data)
    with contextlib.chdir(folder):
        options = settings_from_files(COMMANDS)
        for command in (run_command, bench_command):
            verb = str(command.name)
            chosen = options.get(verb)
            with (
                contextlib.suppress(*REFUSALS_OF_CLICK),
                command.make_context(verb, ["."], default_map=chosen) as ctx,
            ):
                audit_config(ctx.params)
                resources(ctx.params)
                report_settings(ctx.params)


REFUSALS_OF_CLICK = (FerAuditError, click.ClickException, click.exceptions.Exit, click.Abort)


def feed_document(data: bytes, folder: Path) -> None:
    """Read a JSON file of one kind; the first byte says which."""
    reader = _READERS[data[0] % len(_READERS)] if data else _READERS[0]
    reader(data[1:], folder)


def _reference(data: bytes, folder: Path) -> None:
    path = folder / "reference.json"
    path.write_bytes(data)
    read_reference(path)


def _done(data: bytes, folder: Path) -> None:
    run = seeds.finished_run(folder / "run")
    (run / "DONE.json").write_bytes(data)
    finished_result(run, RunFingerprints("1", "2", "3", "4", "5"), csv=True, progress=Silent())
    read_finished_result(run)


def _result(data: bytes, folder: Path) -> None:
    run = seeds.finished_run(folder / "other")
    (run / "result.json").write_bytes(data)
    (run / "DONE.json").write_text(seeds.done_json(run))
    read_finished_result(run)


def _pictures(data: bytes, folder: Path) -> None:
    path = folder / "pictures.json"
    path.write_bytes(data)
    read_pictures(path)


def _timings(data: bytes, folder: Path) -> None:
    path = folder / "timings.json"
    path.write_bytes(data)
    for timing in read_timings(path):
        assert isinstance(timing.stage, str)
        assert timing.seconds >= 0


def _manifest(data: bytes, folder: Path) -> None:
    stage = StageFolder.open(folder, "pack", "f")
    (stage.path / "part.json").write_bytes(data)
    found = stage.read_part("part")
    assert isinstance(found, (str, tuple))


def _card(data: bytes, folder: Path) -> None:
    beside = folder / "card"
    beside.mkdir(exist_ok=True)
    (beside / "dataset.json").write_bytes(data)
    (beside / "a.jpg").touch()
    sets.check_dataset(load_dataset(beside, AuditConfig()))


def _truth(data: bytes, folder: Path) -> None:
    (folder / "truth.json").write_bytes(data)
    check_planted(folder, _bare())


@cache
def _bare() -> AuditResult:
    return bare()


_READERS = (*(_reference, _done, _result, _pictures, _timings, _manifest, _card, _truth),)


def feed_rule(data: bytes, folder: Path) -> None:
    """Parse a rule of --fail-on; a refusal points at a place inside it."""
    text = data.decode("utf-8", "surrogateescape")
    rule = parse_rule(text)
    assert np.isfinite(rule.number)
    assert rule.subject == rule.subject.strip() != ""


def feed_names(data: bytes, folder: Path) -> None:
    """Read labels from file names, one a line, and ages from the same words."""
    names = os.fsdecode(data).split("\n")
    for name in names:
        labels = parse_name(name)
        assert -1 <= labels.age <= MAX_AGE
        assert -1 <= labels.gender < len(GENDERS)
        assert -1 <= labels.race < len(RACES)
        encodable(name).encode()
        parse_years(name)
        group = parse_age_group(name)
        assert group is None or 0 <= group.low <= group.high
    has_utkface_names(names, share=0.1)


def _documents() -> Iterable[bytes]:
    """Yield one good document for every reader, in their order."""
    for index, document in enumerate(seeds.documents()):
        yield bytes([index]) + json.dumps(document).encode()


TARGETS = {
    "image": Target(feed_image, seeds.images, (DecodeError,)),
    "table_text": Target(sets.feed_csv, set_seeds.text_tables, longest=1_024),
    "table_parquet": Target(sets.feed_parquet, set_seeds.parquet_tables),
    "label_npy": Target(sets.feed_npy, set_seeds.npy_labels, longest=1_024),
    "label_list": Target(sets.feed_list, set_seeds.lists, longest=1_024),
    "images_tar": Target(sets.feed_tar, set_seeds.archives, longest=8_192),
    "images_parquet": Target(sets.feed_parquet_images, set_seeds.parquet_images),
    "images_pixels": Target(sets.feed_pixels, set_seeds.pixel_tables, longest=512),
    "model_sidecar": Target(feed_sidecar, seeds.sidecars, longest=2_048),
    "model_onnx": Target(feed_onnx, seeds.models),
    "model_foreign": Target(networks.feed_foreign, networks.foreign_models),
    "model_packaged": Target(networks.feed_packaged, networks.packaged_networks, longest=65_536),
    "weights": Target(feed_weights, seeds.weights, longest=65_536),
    "settings": Target(feed_settings, seeds.settings, longest=512),
    "document": Target(feed_document, _documents, longest=16_384),
    "rule": Target(feed_rule, seeds.rules, longest=128),
    "names": Target(feed_names, seeds.names, longest=512),
}
