"""What a run asks of a disk before it works: what is missing, and never less than it then writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fer_audit.config import AuditConfig, PackMode, ReportSettings, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError
from fer_audit.pipeline import run_audit
from fer_audit.pipeline.model import job_of
from fer_audit.pipeline.run_folder import is_placed
from fer_audit.pipeline.types import Order, Stopwatch
from fer_audit.pipeline.vectors import BASE_BYTES, Need, decide_pixels, needed_bytes
from fer_audit.progress import Silent
from tests.graphs import SIZE

N = 24
QUICK = AuditConfig.of(k=3, starts=2, sweep_max=3, permutations=40, bootstraps=20, replay=0)
LITTLE = Need(pixels=0, cache=1, out=1, decodes=True)
TOO_MUCH = 10**18


class Told(Silent):
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        """Remember it."""
        self.lines.append(message)


def size_of(files: Iterable[Path]) -> int:
    """Return what files take on a disk of blocks."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in files)


def test_a_run_asks_for_what_it_writes_and_not_again_for_what_it_has_written(
    faces: Path, tiny_model: ExportedModel, cache_dir: Path, run_dir: Path
) -> None:
    """Too little would fill the disk in the middle; --pack on was once refused on a rerun, for want of a second copy."""
    config = QUICK.having(model=str(tiny_model.path))
    resources = Resources(cache_dir=cache_dir, device="cpu", pack="on", workers=1)
    asked = (load_dataset(faces, config), run_dir, cache_dir, config, resources, ReportSettings())
    watch = Stopwatch(Silent(), "report")
    job = job_of(Order(*asked, csv=False, progress=Silent(), watch=watch), "embed")

    def need(*, copies: bool = False) -> Need:
        return needed_bytes(job, copies_vectors=copies)

    before = need()

    run_audit(faces, run_dir, config=config, resources=resources)

    pixels = list(cache_dir.rglob("pixels-*.npy"))
    others = [path for path in cache_dir.rglob("*") if path.is_file() and path not in pixels]
    own = [path for path in run_dir.iterdir() if path.name != "embeddings.npy"]
    assert before.pixels == N * SIZE * SIZE * 3 <= size_of(pixels)
    assert size_of(others) <= before.cache <= BASE_BYTES + 3 * size_of(others)
    assert size_of(own) <= before.out
    assert need() == Need(0, BASE_BYTES, before.out, decodes=False)
    assert need(copies=True).out == before.out + N * 3 * 4
    (job.folder("pack").path / "pixels-00000.json").unlink()
    assert need() == Need(before.pixels, BASE_BYTES, before.out, decodes=False)


@pytest.mark.parametrize(("mode", "kept"), [("on", True), ("off", False), ("auto", True)])
def test_pixels_are_kept_as_asked(tmp_path: Path, mode: PackMode, kept: bool) -> None:
    told = Told()

    assert decide_pixels(mode, LITTLE, tmp_path, tmp_path, told) is kept
    assert told.lines == []


@pytest.mark.parametrize("decodes", [True, False])
def test_auto_keeps_no_pixels_without_room_and_says_so_where_any_would_be_decoded(
    tmp_path: Path, decodes: bool
) -> None:
    told = Told()
    need = dataclasses.replace(LITTLE, pixels=TOO_MUCH, decodes=decodes)

    assert not decide_pixels("auto", need, tmp_path, tmp_path, told)

    words = "the pixels are not kept: with them the run needs 1000000000.00 GB"
    assert [line[: len(words)] for line in told.lines] == [words] * decodes


@pytest.mark.parametrize("mode", ["on", "off", "auto"])
@pytest.mark.parametrize("kind", ["pixels", "cache", "out"])
def test_everything_a_run_writes_counts(tmp_path: Path, mode: PackMode, kind: str) -> None:
    need = dataclasses.replace(LITTLE, **{kind: TOO_MUCH})  # type: ignore[arg-type]  # a size
    if kind == "pixels" and mode != "on":
        assert not decide_pixels(mode, need, tmp_path, tmp_path, Silent())
        return

    with pytest.raises(StoreError, match=r"need 1000000000\.00 GB, have \d+\.\d+ [GM]B") as caught:
        decide_pixels(mode, need, tmp_path, tmp_path, Silent())

    assert ("--pack off" in caught.value.hint) is (kind == "pixels"), "where that would help"


def test_a_true_copy_of_the_vectors_is_not_copied_again(tmp_path: Path) -> None:
    kept = tmp_path / "vectors.npy"
    np.save(kept, np.arange(4, dtype=np.float32), allow_pickle=False)
    target = tmp_path / "embeddings.npy"

    assert not is_placed(kept, tmp_path)
    target.write_bytes(kept.read_bytes())
    assert is_placed(kept, tmp_path)
    target.write_bytes(kept.read_bytes()[:-1] + b"\x01")
    assert not is_placed(kept, tmp_path)
