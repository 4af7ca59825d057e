"""Files to shards: every row keeps its place, whatever its file is, and nothing is done twice."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.sources.source import MAX_FILE_BYTES, SourceError
from fer_audit.dataset.types import FaceDataset
from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.pack.decode import decode_image
from fer_audit.pack.rows import empty_rows, style_of
from fer_audit.pack.types import PackRows, PackShard
from fer_audit.store.stage import StageFolder
from tests.pack.files import RED, checker, dataset_of, encoded, rewrite_in_place

SIZE = 16
ROWS = 4


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rows in a shard, so that eleven files make three."""
    monkeypatch.setattr("fer_audit.pack.build.SHARD_ROWS", ROWS)
    monkeypatch.setattr("fer_audit.pack.types.SHARD_ROWS", ROWS)


@pytest.fixture
def pictures(tmp_path: Path) -> FaceDataset:
    """Give eleven files: picture i is i columns wider, number 5 is empty and number 6 no image."""
    root = tmp_path / "pictures"
    root.mkdir()
    names = [f"{i:02d}.jpg" for i in range(11)]
    for i, name in enumerate(names):
        picture = checker(24).crop((0, 0, 20 + i, 24)).resize((20 + i, 24))
        (root / name).write_bytes(encoded(picture, "JPEG"))
    (root / names[5]).write_bytes(b"")
    (root / names[6]).write_bytes(b"no image at all")
    return dataset_of(root, *names)


def maker_of(
    dataset: FaceDataset, cache: Path, *, keep: bool = True, workers: int = 2
) -> ShardMaker:
    folder = StageFolder.open(cache, "pack", pack_fingerprint(dataset, SIZE))
    return ShardMaker(dataset, folder, size=SIZE, keep=keep, workers=workers)


def walk(maker: ShardMaker) -> list[PackShard]:
    return list(maker.iterate([0, 1, 2]))


def all_rows(maker: ShardMaker) -> PackRows:
    rows = maker.rows()
    assert rows is not None
    return rows


def same(one: PackRows, two: PackRows) -> bool:
    return all(np.array_equal(getattr(one, x), getattr(two, x)) for x in PackRows.__slots__)


def test_shards_come_in_order_and_cover_every_row(pictures: FaceDataset, cache_dir: Path) -> None:
    shards = walk(maker_of(pictures, cache_dir))

    assert [(shard.start, shard.stop) for shard in shards] == [(0, 4), (4, 8), (8, 11)]
    assert [shard.pixels.shape for shard in shards] == [(n, SIZE, SIZE, 3) for n in (4, 4, 3)]
    assert not any(shard.pixels.flags.writeable for shard in shards)


def test_row_i_is_image_i_and_a_failed_row_keeps_its_place_its_reason_and_zeros(
    pictures: FaceDataset, cache_dir: Path
) -> None:
    maker = maker_of(pictures, cache_dir)
    pixels = np.concatenate([shard.pixels for shard in walk(maker)])
    rows = all_rows(maker)

    assert np.flatnonzero(~rows.ok).tolist() == [5, 6]
    assert rows.reasons[[5, 6]].tolist() == ["empty", "format_not_allowed"]
    assert (rows.reasons[rows.ok] == "").all()
    for values in (pixels, rows.style, rows.widths, rows.heights):
        assert not values[[5, 6]].any()
    for i, name in enumerate(pictures.ids):
        data = (pictures.root / name).read_bytes()
        assert rows.sha256[i] == hashlib.sha256(data).hexdigest().encode()
        if i in (5, 6):
            continue
        wanted = decode_image(data, name, SIZE)
        assert np.array_equal(pixels[i], wanted.pixels)
        assert (rows.widths[i], rows.heights[i]) == (20 + i, 24)
        style = style_of(wanted.pixels, file_bytes=len(data), file_pixels=(20 + i) * 24)
        assert np.array_equal(rows.style[i], style)


def test_the_number_of_workers_changes_nothing(pictures: FaceDataset, tmp_path: Path) -> None:
    makers = [
        maker_of(pictures, tmp_path / f"cache{workers}", workers=workers) for workers in (1, 8)
    ]

    one, eight = (np.concatenate([shard.pixels for shard in walk(maker)]) for maker in makers)

    assert one.tobytes() == eight.tobytes()
    assert same(all_rows(makers[0]), all_rows(makers[1]))


def test_a_second_walk_decodes_nothing(
    pictures: FaceDataset, cache_dir: Path, decoded: list[str]
) -> None:
    first = walk(maker_of(pictures, cache_dir))
    decoded.clear()

    second = walk(maker_of(pictures, cache_dir))

    assert decoded == []
    for one, two in zip(first, second, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert same(one.rows, two.rows)


def test_a_walk_that_was_broken_off_continues_behind_its_last_shard(
    pictures: FaceDataset, cache_dir: Path, decoded: list[str]
) -> None:
    (first,) = maker_of(pictures, cache_dir).iterate([0])
    assert first.stop == ROWS
    decoded.clear()

    walk(maker_of(pictures, cache_dir))

    assert sorted(decoded) == list(pictures.ids[4:])


def test_only_the_shards_asked_for_are_made(
    pictures: FaceDataset, cache_dir: Path, decoded: list[str]
) -> None:
    maker = maker_of(pictures, cache_dir)

    (shard,) = maker.iterate([2])

    assert (shard.start, shard.stop) == (8, 11)
    assert sorted(decoded) == list(pictures.ids[8:])
    assert maker.missing_rows() == [0, 1]
    assert maker.rows() is None


def test_without_kept_pixels_only_the_rows_are_written(
    pictures: FaceDataset, cache_dir: Path
) -> None:
    kept, thrown = maker_of(pictures, cache_dir), maker_of(pictures, cache_dir / "2", keep=False)

    with_pixels, without = walk(kept), walk(thrown)

    assert not list((cache_dir / "2").rglob("pixels-*"))
    for one, two in zip(with_pixels, without, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert not two.pixels.flags.writeable
    assert same(all_rows(kept), all_rows(thrown))


@pytest.mark.parametrize("part", ["pixels-00001.pixels.npy", "files-00001.files.npy"])
def test_a_damaged_shard_is_made_again_alone_and_the_reason_is_said(
    pictures: FaceDataset, cache_dir: Path, decoded: list[str], part: str
) -> None:
    before = walk(maker_of(pictures, cache_dir))
    (damaged,) = cache_dir.rglob(part)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x77")
    decoded.clear()

    maker = maker_of(pictures, cache_dir)
    if part.startswith("files"):  # looked at again and again, complained of once
        assert maker.rows() is None
        assert maker.missing_rows() == [1]
    after = walk(maker)

    assert set(decoded) <= set(pictures.ids[4:8])
    assert maker.complaints == [f"made again: {part} is damaged"]
    for one, two in zip(before, after, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert same(one.rows, two.rows)


def test_other_files_another_square_or_time_is_another_fingerprint(pictures: FaceDataset) -> None:
    path = pictures.root / "03.jpg"
    before = pack_fingerprint(pictures, SIZE)
    assert before == pack_fingerprint(dataset_of(pictures.root, *pictures.ids), SIZE)

    os.utime(path, ns=(1, 1))
    touched = pack_fingerprint(dataset_of(pictures.root, *pictures.ids), SIZE)

    fewer = pack_fingerprint(dataset_of(pictures.root, *pictures.ids[:-1]), SIZE)
    larger = pack_fingerprint(pictures, SIZE + 1)
    padded = pack_fingerprint(pictures, SIZE, padded=True)
    assert len({before, touched, fewer, larger, padded}) == 5


@pytest.mark.parametrize(("height", "black"), [(12, 0.75), (1, 0.81)])
def test_black_around_a_padded_image_is_not_measured_as_its_style(
    tmp_path: Path, height: int, black: float
) -> None:
    """And the shards of a padded walk hold the black."""
    wide = Image.new("RGB", (48, height), (200, 90, 30))
    (tmp_path / "wide.png").write_bytes(encoded(wide, "PNG"))
    dataset = dataset_of(tmp_path, "wide.png")
    shards = {}
    for padded in (False, True):
        folder = StageFolder.open(tmp_path, "pack", pack_fingerprint(dataset, SIZE, padded=padded))
        maker = ShardMaker(dataset, folder, size=SIZE, padded=padded, keep=True, workers=1)
        (shards[padded],) = maker.iterate([0])

    assert (shards[False].pixels != 0).all()
    assert (shards[True].pixels == 0).mean() == pytest.approx(black, abs=0.03)
    assert shards[True].rows.style == pytest.approx(shards[False].rows.style, rel=1e-6)


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_link(path: Path) -> None:
    shutil.copy2(path, path.with_name("elsewhere.jpg"))
    path.unlink()
    path.symlink_to("elsewhere.jpg")


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "changed_during_run"),
        (lambda path: os.utime(path, ns=(1, 1)), "changed_during_run"),
        (Path.unlink, "changed_during_run"),
        (lambda path: (path.unlink(), path.mkdir()), "not_a_file"),
        (make_pipe, "not_a_file"),
        (make_link, "unreadable"),
        (lambda path: (path.unlink(), path.symlink_to("nowhere.jpg")), "unreadable"),
        pytest.param(
            lambda path: path.chmod(0),
            "unreadable",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root"),
        ),
    ],
)
def test_what_happens_to_a_file_between_listing_and_reading_becomes_its_reason(
    pictures: FaceDataset, cache_dir: Path, happens: Callable[[Path], object], reason: str
) -> None:
    happens(pictures.root / "02.jpg")

    maker = maker_of(pictures, cache_dir)
    walk(maker)

    rows = all_rows(maker)
    assert not rows.ok[2]
    assert rows.reasons[2] == reason
    assert rows.sha256[2] == b""
    assert rows.ok[[0, 1, 3, 4]].all()


def test_a_row_that_never_had_a_plain_file_is_missing_and_never_opened(
    pictures: FaceDataset, cache_dir: Path
) -> None:
    """The listing gives size -1 to links, pipes and sockets; opening a pipe would wait for ever."""
    make_pipe(pictures.root / "02.jpg")
    make_link(pictures.root / "03.jpg")
    assert isinstance(pictures.source, Files)
    for row in (2, 3):
        pictures.source.sizes[row] = pictures.source.mtimes[row] = -1

    maker = maker_of(pictures, cache_dir)
    walk(maker)

    assert all_rows(maker).reasons[[2, 3]].tolist() == ["missing", "missing"]


def test_a_file_of_forbidden_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The file is a hole: 200 MB that take no disk, and no memory."""
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    with pytest.raises(SourceError, match="too_large"):
        dataset_of(tmp_path, "huge.jpg").source.read(0)


def test_bytes_that_changed_behind_size_and_time_are_found_by_reading(
    pictures: FaceDataset, cache_dir: Path
) -> None:
    maker = maker_of(pictures, cache_dir)
    assert maker.changed_files() == []
    walk(maker)
    assert maker.changed_files() == []

    data = bytearray((pictures.root / "03.jpg").read_bytes())
    data[-1] ^= 1
    rewrite_in_place(pictures.root / "03.jpg", bytes(data))

    assert maker.changed_files() == ["03.jpg"]


def test_a_file_that_could_not_be_read_once_is_not_given_up_for_ever(
    pictures: FaceDataset, cache_dir: Path
) -> None:
    """A share that was away for a moment, a permission that was mended: size and time stay the same.

    Its row must not come from the cache when the file can be read again; at the very least --verify must see it.
    """
    path, away = pictures.root / "02.jpg", pictures.root / "02.away"
    path.rename(away)
    maker = maker_of(pictures, cache_dir)
    walk(maker)
    assert all_rows(maker).reasons[2] == "changed_during_run"
    away.rename(path)

    again = maker_of(pictures, cache_dir)

    assert again.changed_files() == ["02.jpg"]


def test_the_reason_column_is_wide_enough_for_every_reason() -> None:
    """A fixed width cuts silently."""
    rows = empty_rows(1)
    for reason in ("nonfinite_embedding", "changed_during_run", "mode_not_supported"):
        rows.reasons[0] = reason
        assert rows.reasons[0] == reason


def test_a_long_suffix_does_not_push_a_flag_out_of_its_column(
    tmp_path: Path, cache_dir: Path
) -> None:
    """The flag quotes the file's own suffix; whoever reads flags must still find the last word."""
    name = "x." + "j" * 80
    (tmp_path / name).write_bytes(encoded(checker(8).crop((0, 0, 4, 8)), "PNG"))
    maker = maker_of(dataset_of(tmp_path, name), cache_dir)
    list(maker.iterate([0]))

    assert all_rows(maker).flags[0].split()[-1] == "tiny"


def test_red_survives_the_whole_way_to_the_cache(tmp_path: Path, cache_dir: Path) -> None:
    from PIL import Image

    (tmp_path / "red.png").write_bytes(encoded(Image.new("RGB", (9, 9), RED), "PNG"))
    walked = list(maker_of(dataset_of(tmp_path, "red.png"), cache_dir).iterate([0]))
    again = list(maker_of(dataset_of(tmp_path, "red.png"), cache_dir).iterate([0]))

    for shards in (walked, again):
        assert (shards[0].pixels == RED).all()
    assert isinstance(again[0].pixels, np.memmap)
