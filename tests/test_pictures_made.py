"""The pictures of a run of drawn faces: all of them right, none that shows too few, the same bytes again."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.errors import ConfigError
from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.pack.rows import concatenate_rows
from fer_audit.pack.types import PackRows
from fer_audit.pipeline import pictures as module
from fer_audit.pipeline.pictures import (
    Cell,
    _without_a_small_rest,
    kept_pictures,
    make_pictures,
    pictures_fingerprint,
)
from fer_audit.pipeline.types import Job
from fer_audit.progress import Silent
from fer_audit.report.files.pictures import MapPoints, Pictures, pictures_json
from fer_audit.store.locks import LOCK, folder_lock
from fer_audit.store.stage import StageFolder
from tests.audit.inputs import clustering_of
from tests.drawings import draw_faces
from tests.known import known
from tests.pack.shards import opened, values

N = 90
SIZE = 32


@dataclass
class Bench(Silent):
    """A packed and clustered set, ready to be drawn: cluster 0 has 50 images, cluster 1 40."""

    dataset: FaceDataset
    rows: PackRows
    clustering: Clustering | None
    cache: Path
    pixels: NDArray[np.uint8]
    said: list[str] = field(default_factory=list)

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None: ...

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        self.said += [f"start {total}"]

    def advance(self, stage: str, amount: int = 1) -> None:
        self.said += ["advance"] * amount

    def finish(self, stage: str) -> None:
        self.said += ["finish"]

    def make(
        self,
        *,
        pack: str = "auto",
        seed: int = 0,
        **options: Any,  # noqa: ANN401 - options by name
    ) -> Pictures:
        self.said.clear()
        job: Any = SimpleNamespace(
            dataset=self.dataset,
            size=SIZE,
            model=SimpleNamespace(spec=SimpleNamespace(padded=False)),
            cache=self.cache,
            config=AuditConfig.of(seed=seed),
            resources=Resources(pack=pack),  # type: ignore[arg-type]  # on, off or auto
            report=ReportSettings(**options),
            progress=self,
            workers=2,
            prints=SimpleNamespace(pack=pack_fingerprint(self.dataset, SIZE)),
        )
        job.folder, job.maker = partial(Job.folder, job), partial(Job.maker, job)
        work: Any = SimpleNamespace(rows=self.rows, clustering=self.clustering)
        work.not_clustered = "there are no clusters"
        return make_pictures(job, work, "f")

    def points(self, **options: Any) -> MapPoints:  # noqa: ANN401 - options by name
        return known(self.make(**options).map)

    def with_attributes(self, *attributes: Attribute) -> None:
        self.dataset = dataclasses.replace(self.dataset, attributes=attributes)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Give ninety drawn faces, one of them twice and one broken, packed once, in two clusters."""
    home = tmp_path_factory.mktemp("pictures")
    folder, cache = draw_faces(home / "faces", N), home / "cache"
    names = sorted(path.name for path in folder.iterdir())
    shutil.copyfile(folder / names[10], folder / names[11])
    (folder / names[20]).write_bytes(b"no image at all")
    dataset = load_dataset(folder, AuditConfig())
    store = StageFolder.open(cache, "pack", pack_fingerprint(dataset, SIZE))
    maker = ShardMaker(dataset, store, size=SIZE, keep=True, workers=2)
    shards = list(maker.iterate([0]))
    rows = concatenate_rows([shard.rows for shard in shards])
    labels = (np.arange(N) >= 50).astype(np.int32)
    labels[~rows.ok] = -1
    rng = np.random.default_rng(0)
    clustering = dataclasses.replace(
        clustering_of(labels, k=2),
        distances=rng.permutation(N).astype(np.float32),
        coordinates=rng.normal(size=(N, 3)).astype(np.float32),
    )
    return Bench(dataset, rows, clustering, cache, np.array(shards[0].pixels))


@pytest.fixture
def bench(packed: Bench, cache_dir: Path) -> Bench:
    """Give the packed set with a cache of its own."""
    shutil.copytree(packed.cache, cache_dir)
    return dataclasses.replace(packed, cache=cache_dir, said=[])


def clustered(bench: Bench) -> Clustering:
    return known(bench.clustering)


def halves(name: str, kind: str = "demographic", first: int = 45) -> Attribute:
    """Return an attribute whose groups are the first rows and the others."""
    codes = (np.arange(N) >= first).astype(np.int16)
    return Attribute(name, ("low", "high"), codes, kind)  # type: ignore[arg-type]  # a kind


def test_a_mean_face_is_the_mean_of_its_cell(bench: Bench) -> None:
    face = bench.make().faces[0]
    mine = (clustered(bench).labels == 0) & (np.arange(N) != 11)  # the second copy does not count

    expected = bench.pixels[mine].mean(axis=0)

    assert (face.cluster, face.attribute, face.group) == (0, None, None)
    assert face.n == face.drawn == mine.sum() == 48
    assert opened(face.webp).size == (SIZE, SIZE)
    assert np.abs(values(face.webp).mean(axis=(0, 1)) - expected.mean(axis=(0, 1))).max() < 3


def test_a_group_has_a_face_when_it_has_and_leaves_thirty_images_or_none(bench: Bench) -> None:
    bench.with_attributes(halves("half"), halves("third", first=30), halves("style", "label"))

    found = [(face.cluster, face.attribute, face.group, face.n) for face in bench.make().faces]

    # Of rows 0-49 the copy 11 and the broken 20 do not count: 28 lie below 30, 43 below 45. The mean of all 48 and that of
    # the 43 would give the mean of the other 5 away.
    assert found == [
        (0, None, None, 48),
        (1, None, None, 40),
        (1, "half", "high", 40),
        (1, "third", "high", 40),
    ]


def test_the_smallest_groups_are_left_out_until_what_is_hidden_is_large() -> None:
    sizes = (400, 40, 35, 12)
    groups = [Cell(0, "race", str(n), n, np.arange(n)) for n in sizes]

    def shown(whole: int) -> list[int]:
        return [cell.n for cell in _without_a_small_rest(groups, whole)]

    assert shown(sum(sizes)) == [400, 40]
    assert shown(sum(sizes) + 20) == [400, 40, 35], "20 more are not annotated: 32 are hidden"
    assert shown(400 + 40 + 35) == [400, 40, 35], "nothing is hidden"
    assert shown(400 + 40 + 35 + 1) == [400, 40]


def test_a_cluster_of_few_images_has_no_face_and_the_report_says_so(bench: Bench) -> None:
    labels = clustered(bench).labels.copy()
    labels[(labels == 1) & (np.arange(N) < 61)] = 0
    bench.clustering = dataclasses.replace(clustered(bench), labels=labels)

    found = bench.make()

    assert {face.cluster for face in found.faces} == {0}
    assert ("mean face of cluster 1", "it has fewer than 30 images") in found.missing


def test_a_large_cell_is_drawn_from_and_says_both_numbers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_DRAWN", 35)

    first, again, other = (bench.make(seed=seed).faces[0] for seed in (0, 0, 1))

    assert (first.n, first.drawn) == (48, 35)
    assert first == again
    assert first.webp != other.webp


def test_an_attribute_of_too_many_groups_has_no_faces(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MEAN_FACES", 5)
    bench.with_attributes(halves("one"), halves("two"))

    found = bench.make()

    assert {face.attribute for face in found.faces} == {None}
    assert [what for what, _ in found.missing] == ["mean faces by one", "mean faces by two"]


def test_faces_stand_on_a_sheet_only_when_they_are_asked_for(bench: Bench) -> None:
    assert bench.make().sheets == ()

    sheets = bench.make(thumbnails=4, blur_faces=True).sheets

    kinds = ("nearest", "median", "farthest")
    assert [(each.cluster, each.kind) for each in sheets] == [
        (c, k) for c in (0, 1) for k in kinds
    ]
    assert all(each.n == 4 and each.blurred for each in sheets)
    assert opened(sheets[0].webp).size == (4 * 72, 72)


def test_sheets_go_by_the_distance_to_the_centre_one_copy_of_each_file(bench: Bench) -> None:
    distances = np.arange(N, dtype=np.float32)
    clustering = dataclasses.replace(clustered(bench), distances=distances)
    once = bench.rows.ok & (np.arange(N) != 11)

    sheets = module.sheet_rows(clustering, once, faces=12)

    assert sheets[0].rows.tolist() == [*range(11), 12]
    assert sheets[2].rows.tolist() == list(range(49, 37, -1))
    middle = np.median(np.flatnonzero(once[:50]))
    assert abs(np.median(sheets[1].rows) - middle) <= 1
    assert (np.diff(sheets[1].rows) > 0).all()


def test_a_cluster_of_two_shows_both(bench: Bench) -> None:
    once = np.zeros(N, np.bool_)
    once[[3, 5]] = True

    sheets = module.sheet_rows(clustered(bench), once, faces=12)

    assert [sorted(sheet.rows.tolist()) for sheet in sheets] == [[3, 5]] * 3


def test_pictures_hold_no_metadata_and_no_name_and_are_the_same_bytes_again(bench: Bench) -> None:
    found = bench.make(thumbnails=3)

    text = pictures_json(found)
    for webp in [face.webp for face in found.faces] + [sheet.webp for sheet in found.sheets]:
        image = opened(webp)
        assert not image.getexif()
        assert not {"exif", "xmp", "icc_profile"} & set(image.info)
    assert not [file_id for file_id in bench.dataset.ids if file_id in text]
    assert str(bench.dataset.root) not in text
    assert pictures_json(bench.make(thumbnails=3)) == text


def test_nothing_is_decoded_for_a_picture(bench: Bench, decoded: list[str]) -> None:
    bench.make(thumbnails=3)
    bench.make(pack="on")

    assert decoded == []


@pytest.mark.parametrize("pack", ["auto", "off"])
def test_without_kept_pixels_there_is_a_map_and_a_reason(
    bench: Bench, decoded: list[str], pack: str
) -> None:
    shutil.rmtree(bench.cache / "pack")

    found = bench.make(pack=pack, thumbnails=3)

    reason = "the pixels were not kept; run again with --pack on"
    assert found.map is not None
    assert (found.faces, found.sheets) == ((), ())
    assert found.missing[-2:] == (("mean faces", reason), ("contact sheets", reason))
    assert decoded == []


def test_pack_on_makes_the_pixels_that_are_missing(bench: Bench, decoded: list[str]) -> None:
    """Else the advice to run again with --pack on would be a lie."""
    expected = bench.make(thumbnails=3)
    shutil.rmtree(bench.cache / "pack")

    found = bench.make(pack="on", thumbnails=3)
    again = bench.make(pack="off", thumbnails=3)

    assert pictures_json(found) == pictures_json(expected) == pictures_json(again)
    assert len(decoded) == N


def test_damaged_pixels_are_no_picture(bench: Bench) -> None:
    (path,) = (bench.cache / "pack").rglob("pixels-00000.pixels.npy")
    path.write_bytes(path.read_bytes()[:-9] + b"\x00" * 9)

    found = bench.make()

    assert found.faces == ()
    assert dict(found.missing)["mean faces"].startswith("the kept pixels are damaged")


def test_without_clusters_there_is_a_reason_for_everything(bench: Bench) -> None:
    bench.clustering = None

    found = bench.make(thumbnails=3)

    assert (found.map, found.faces, found.sheets) == (None, (), ())
    reason = "there are no clusters"
    assert found.missing == (("map", reason), ("mean faces", reason), ("contact sheets", reason))


def test_the_map_shows_every_image_that_came_through(bench: Bench) -> None:
    points = bench.points()
    rows = np.flatnonzero(bench.rows.ok)

    assert points.n == points.shown == N - 1
    assert np.array_equal(points.rows, rows)
    coordinates = known(clustered(bench).coordinates)
    assert np.abs(points.points - coordinates[rows, :2]).max() < 1e-3


def test_a_map_is_coloured_by_clusters_then_people_then_labels_then_batches(bench: Bench) -> None:
    many = tuple(f"day {i}" for i in range(41))
    days = Attribute("day", many, np.zeros(N, np.int16), "batch")
    bench.with_attributes(
        halves("camera", "batch"), halves("smile", "label"), halves("race"), days, halves("sex")
    )

    found = bench.make()

    assert found.map is not None
    assert [(each.name, each.kind) for each in found.map.colourings] == [
        ("cluster", "cluster"),
        ("race", "demographic"),
        ("sex", "demographic"),
        ("smile", "label"),
        ("camera", "batch"),
    ]
    assert ("map by day", "it has 41 groups, more than 40 colours") in found.missing
    assert np.array_equal(found.map.colourings[1].codes, halves("race").codes[found.map.rows])


def test_a_name_that_cannot_be_written_is_escaped_before_it_is_drawn(bench: Bench) -> None:
    r"""Else a page drawn from memory would differ from one drawn from the file."""
    attribute = dataclasses.replace(halves("half", first=50), categories=("a\udcff", "high"))
    bench.with_attributes(attribute)

    found = bench.make()

    assert known(found.map).colourings[1].groups == ("a\\xff", "high")
    assert {face.group for face in found.faces} == {None, "a\\xff", "high"}
    assert pictures_json(found)


def test_beyond_the_limit_a_seeded_draw_is_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_POINTS", 20)

    first, again, other = (bench.points(seed=seed) for seed in (0, 0, 1))

    assert (first.n, first.shown) == (N - 1, 20)
    assert np.array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)
    assert (np.diff(first.rows) > 0).all()


def test_every_image_is_as_likely_to_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_POINTS", 10)
    usable = np.arange(40) != 7

    shown = np.sum([module._drawn(usable, seed) for seed in range(2_000)], axis=0)

    expected = 2_000 * 10 / 39
    assert shown[7] == 0
    assert shown.sum() == 20_000
    # A count's standard deviation is sqrt(2000 p (1 - p)) = 19.5; five of them.
    assert np.abs(shown[usable] - expected).max() < 98


def test_too_few_images_for_a_umap_make_a_plain_map(bench: Bench) -> None:
    labels = np.full(N, -1, np.int32)
    labels[:15] = 0
    bench.clustering = dataclasses.replace(clustered(bench), labels=labels)

    found = bench.make(projection="umap")

    assert known(found.map).method == "pca"
    assert "UMAP" in dict(found.missing)


@pytest.mark.slow
def test_a_umap_is_made_once_and_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("umap")
    first = bench.points(projection="umap")
    monkeypatch.setattr(module, "umap_map", None)  # a call would fail

    again = bench.points(projection="umap")

    assert first.method == "umap"
    assert np.array_equal(first.grid, again.grid)


def test_a_umap_without_umap_learn_is_a_config_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(ConfigError, match="umap-learn"):
        bench.make(projection="umap")
    with pytest.raises(ConfigError, match="umap-learn"):
        pictures_fingerprint("a", ReportSettings(projection="umap"))


def test_progress_says_how_many_steps_there_are_and_makes_them(bench: Bench) -> None:
    bench.make(thumbnails=2)
    assert bench.said == ["start 3", "advance", "advance", "advance", "finish"]

    bench.make()
    assert bench.said == ["start 2", "advance", "advance", "finish"]


def test_the_fingerprint_follows_what_is_audited_and_what_is_shown() -> None:
    options = [
        ReportSettings(),
        ReportSettings(thumbnails=3),
        ReportSettings(thumbnails=3, blur_faces=True),
    ]
    prints = {pictures_fingerprint(audit, each) for each in options for audit in ("a", "b")}

    assert len(prints) == 6


def test_earlier_pictures_are_used_again_only_if_they_would_be_made_the_same(
    bench: Bench, tmp_path: Path
) -> None:
    """Those without faces are made again once --pack on asks for the pixels."""
    path = tmp_path / "pictures.json"
    assert kept_pictures(path, "f", need_pixels=False) is None

    path.write_text(pictures_json(bench.make()))

    assert kept_pictures(path, "f", need_pixels=True) is not None
    assert kept_pictures(path, "g", need_pixels=False) is None
    shutil.rmtree(bench.cache / "pack")
    path.write_text(pictures_json(bench.make()))
    assert kept_pictures(path, "f", need_pixels=False) is not None
    assert kept_pictures(path, "f", need_pixels=True) is None


def test_a_failed_walk_leaves_the_lock_of_the_pixels(bench: Bench) -> None:
    """With --pack on the pixels are read under a lock; the next reader must not wait for ever."""
    bench.make(pack="on")
    folder = StageFolder.open(bench.cache, "pack", pack_fingerprint(bench.dataset, SIZE))

    with folder_lock(folder.path, wait_seconds=0):
        assert (folder.path / LOCK).exists()


@pytest.mark.parametrize(
    "options", [{"projection": "tsne"}, {"thumbnails": -1}, {"thumbnails": 51}], ids=str
)
def test_options_that_no_report_can_show_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ReportSettings(**options)
