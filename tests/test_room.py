"""What a run asks of a disk before it works: what is missing, no more, and never less than it then writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fer_audit.config import AuditConfig, PackMode, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.embed.types import CPU, ModelFacts
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError
from fer_audit.pipeline import run_audit
from fer_audit.pipeline.disk_space import Need, Places, can_link, decide_pixels, needed_bytes
from fer_audit.pipeline.fingerprints import run_fingerprints
from fer_audit.pipeline.run_folder import is_placed
from fer_audit.progress import Silent
from fer_audit.store.stage import StageFolder
from tests.graphs import SIZE

QUICK = AuditConfig.of(k=3, starts=2, sweep_max=3, permutations=40, bootstraps=20, replay=0)

LITTLE = Need(pixels=0, rows=1, vectors=1, clusters=1, copy=1, artefacts=1)
TOO_MUCH = 10**18


class Told(Silent):
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        """Remember it."""
        self.lines.append(message)


@pytest.fixture
def places(faces: Path, tiny_model: ExportedModel, cache_dir: Path, run_dir: Path) -> Places:
    """Give where a run on the faces writes; nothing is there yet."""
    facts = ModelFacts(tiny_model.spec.name, tiny_model.sha256, CPU, "fp32", 3)
    config = QUICK.having(model=str(tiny_model.path))
    prints = run_fingerprints(load_dataset(faces, config), facts, SIZE, config)
    run_dir.mkdir()
    folders = {
        stage: StageFolder.open(cache_dir, stage, getattr(prints, stage))
        for stage in ("pack", "embed", "cluster")
    }
    return Places(cache_dir, run_dir, **folders)


def need_of(faces: Path, places: Places, *, done: bool) -> Need:
    return needed_bytes(
        load_dataset(faces, QUICK),
        QUICK,
        places,
        size=SIZE,
        dim=3,
        vectors_done=done,
        workers=1,
        csv=False,
    )


def size_of(files: Iterable[Path]) -> int:
    """Return what files take on a disk of blocks."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in files)


def run(faces: Path, places: Places, model: ExportedModel, pack: PackMode) -> None:
    run_audit(
        faces,
        places.out,
        config=QUICK.having(model=str(model.path)),
        resources=Resources(cache_dir=places.cache, pack=pack, workers=1),
    )


def test_what_is_asked_for_is_a_little_more_than_what_is_written(
    faces: Path, tiny_model: ExportedModel, places: Places
) -> None:
    """Of each kind: too little would fill the disk in the middle, too much would refuse runs that fit."""
    need = need_of(faces, places, done=False)

    run(faces, places, tiny_model, "on")

    written = {
        "pixels": size_of(places.pack.path.glob("pixels-*")),
        "rows": size_of(places.pack.path.glob("rows-*")),
        "vectors": 2 * size_of(places.embed.path.glob("vectors*")),  # the one shard is as large
        "clusters": size_of(places.cluster.path.glob("clustering*")),
    }
    for kind, size in written.items():
        assert size <= getattr(need, kind), kind
        assert getattr(need, kind) <= 3 * size, (
            kind
        )  # the rows' also hold what decoders hand over in
    artefacts = [path for path in places.out.iterdir() if path.name != "embeddings.npy"]
    assert size_of(artefacts) <= need.artefacts
    assert need.copy == 0, "the vectors of the run directory are a second name"


def test_what_an_earlier_run_left_is_not_asked_for_again(
    faces: Path, tiny_model: ExportedModel, places: Places
) -> None:
    """--pack on was once refused on a rerun when there was no room for a second copy of what was kept."""
    run(faces, places, tiny_model, "on")

    again = need_of(faces, places, done=True)

    assert (again.pixels, again.rows, again.vectors, again.clusters) == (0, 0, 0, 0)
    assert decide_pixels("on", again, places, Silent())
    places.pack.remove_part("pixels-00000")
    assert need_of(faces, places, done=True).pixels > 24 * SIZE * SIZE * 3


@pytest.mark.parametrize(("mode", "kept"), [("on", True), ("off", False)])
def test_pixels_are_kept_as_asked(places: Places, mode: PackMode, kept: bool) -> None:
    need = dataclasses.replace(LITTLE, pixels=1)

    assert decide_pixels(mode, need, places, Silent()) is kept


def test_auto_keeps_pixels_while_room_is_left_and_says_when_it_does_not(places: Places) -> None:
    told = Told()

    assert decide_pixels("auto", LITTLE, places, told)
    assert told.lines == []
    assert not decide_pixels("auto", dataclasses.replace(LITTLE, pixels=TOO_MUCH), places, told)
    (line,) = told.lines
    assert line.startswith("the pixels are not kept: with them the run needs 1020000000.00 GB")


def test_auto_says_nothing_when_nothing_will_be_decoded(places: Places) -> None:
    told = Told()
    done = Need(pixels=TOO_MUCH, rows=0, vectors=0, clusters=1, copy=0, artefacts=1)

    assert not decide_pixels("auto", done, places, told)

    assert told.lines == []


def test_pixels_that_must_be_kept_and_cannot_are_refused_with_what_would_fit(
    places: Places,
) -> None:
    need = dataclasses.replace(LITTLE, pixels=TOO_MUCH)

    with pytest.raises(StoreError, match=r"need 1020000000\.00 GB, have \d+\.\d+ [GM]B") as caught:
        decide_pixels("on", need, places, Silent())

    assert caught.value.hint.startswith("Use --pack off, which needs 0.0 MB")


@pytest.mark.parametrize("mode", ["on", "off", "auto"])
@pytest.mark.parametrize("kind", ["rows", "vectors", "clusters", "copy", "artefacts"])
def test_everything_a_run_writes_counts(places: Places, mode: PackMode, kind: str) -> None:
    need = dataclasses.replace(LITTLE, **{kind: TOO_MUCH})

    with pytest.raises(StoreError, match="Not enough room") as caught:
        decide_pixels(mode, need, places, Silent())

    assert "--pack off" not in caught.value.hint, "that would not help"


def test_whether_two_folders_can_share_a_file_is_tried_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert can_link(tmp_path / "a", tmp_path / "b")
    assert not can_link(tmp_path / "a", tmp_path / "nowhere")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b"]


def test_a_true_copy_of_the_vectors_is_not_copied_again(tmp_path: Path) -> None:
    kept = tmp_path / "vectors.npy"
    np.save(kept, np.arange(4, dtype=np.float32), allow_pickle=False)
    target = tmp_path / "embeddings.npy"

    assert not is_placed(kept, tmp_path)
    target.write_bytes(kept.read_bytes())
    assert is_placed(kept, tmp_path)
    target.write_bytes(kept.read_bytes()[:-1] + b"\x01")
    assert not is_placed(kept, tmp_path)
