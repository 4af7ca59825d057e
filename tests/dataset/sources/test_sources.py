"""What every kind of source promises, and what only one kind can do wrong."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.sources import parquet
from fer_audit.dataset.sources.files import Cropped, grey_bmp
from fer_audit.dataset.sources.parquet import ParquetCells
from fer_audit.dataset.sources.source import (
    KINDS,
    FileFacts,
    ImageSource,
    SourceError,
    open_as_listed,
    source_of,
)
from tests.dataset.cells import (
    face,
    fer2013_lines,
    grey_words,
    records,
    samples,
    write_parquet,
    write_tar,
)
from tests.dataset.trees import plant, plant_table
from tests.pack.files import rewrite_in_place

N = 7


def files(root: Path) -> ImageSource:
    for number in range(N):
        plant(root, f"{number}.jpg", content=face(number))
    return load_dataset(root).source


def tar(root: Path) -> ImageSource:
    write_tar(root / "a.tar", samples(range(3)))
    write_tar(root / "b.tar", samples(range(3, N)))
    return load_dataset(root).source


def cells(root: Path) -> ImageSource:
    write_parquet(root / "train-00000-of-00002.parquet", records(range(4)), {}, group=2)
    write_parquet(root / "train-00001-of-00002.parquet", records(range(4, N)), {}, group=2)
    return load_dataset(root).source


def pixels(root: Path) -> ImageSource:
    return load_dataset(plant_table(root, "fer2013.csv", fer2013_lines(range(N)))).source


def cropped(root: Path) -> ImageSource:
    boxes = np.arange(4 * N, dtype=np.int32).reshape(N, 4)
    return Cropped(tar(root), boxes)


MAKERS: dict[str, Callable[[Path], ImageSource]] = {
    "files": files,
    "tar": tar,
    "parquet": cells,
    "pixels": pixels,
    "cropped": cropped,
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def read_all(source: ImageSource) -> list[object]:
    return [source.read(row) for row in range(len(source))]


def state(source: ImageSource) -> bytes:
    return b"".join(source.state())


@EVERY_KIND
def test_a_source_is_the_same_behind_json(kind: str, tmp_path: Path) -> None:
    source = MAKERS[kind](tmp_path)

    again = source_of(json.loads(json.dumps(source.facts())))

    assert type(again) is type(source)
    assert read_all(again) == read_all(source)
    assert state(again) == state(source)
    assert again.folders() == source.folders() == {tmp_path.resolve()}
    assert source.there.all()


@EVERY_KIND
def test_rows_are_taken_in_any_order_and_as_often_as_asked_for(kind: str, tmp_path: Path) -> None:
    source = MAKERS[kind](tmp_path)
    everything = read_all(source)

    for rows in ([6, 0, 3, 3, 1], [5], []):
        taken = source.take(np.array(rows, np.intp))

        assert len(taken) == len(rows)
        assert read_all(taken) == [everything[row] for row in rows]
    assert len({bytes(source.read(row).data) for row in range(N)}) == N


@EVERY_KIND
def test_a_file_that_changed_is_no_picture_and_another_state(kind: str, tmp_path: Path) -> None:
    source = MAKERS[kind](tmp_path)
    before = state(source)
    for path in tmp_path.iterdir():
        os.utime(path, ns=(1, 1))

    for row in range(N):
        with pytest.raises(SourceError, match="changed_during_run"):
            source.read(row)
    assert state(source) == before, "what was listed stays as it was listed"
    assert state(MAKERS[kind](tmp_path)) != before


@EVERY_KIND
def test_a_file_that_is_gone_is_no_picture(kind: str, tmp_path: Path) -> None:
    source = MAKERS[kind](tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()

    with pytest.raises(SourceError, match="changed_during_run"):
        source.read(N - 1)


def test_parquet_rows_come_out_the_same_in_every_order(tmp_path: Path) -> None:
    """Forwards within a batch, backwards, and across batches, groups and files."""
    n = 3 * parquet.BATCH_CELLS + 5
    images = [{"bytes": b"\xff\xd8\xff%d" % row, "path": None} for row in range(n)]
    write_parquet(tmp_path / "a.parquet", images, {}, group=2 * parquet.BATCH_CELLS + 1)
    source = load_dataset(tmp_path / "a.parquet").source

    for rows in (range(n), reversed(range(n)), np.random.default_rng(1).permutation(n).tolist()):
        assert all(source.read(row).data == images[row]["bytes"] for row in rows)


def test_only_the_rows_of_a_broken_row_group_fail_and_the_file_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def counting(facts: FileFacts) -> int:
        opened.append(facts.path)
        return open_as_listed(facts)

    path = tmp_path / "a.parquet"
    write_parquet(path, records(range(9)), {"gender": ["f"] * 9}, group=3)
    data = path.read_bytes()
    at = data.index(face(4))
    header = data.rindex(b"\x15\x00", 0, data.index(face(3)))  # the group's first page
    path.write_bytes(data[:header] + b"\xff" * (at - header) + data[at:])
    source = load_dataset(path).source
    monkeypatch.setattr(parquet, "open_as_listed", counting)

    reasons = []
    for row in (*range(9), 8, 4, 0):
        try:
            reasons.append("" if source.read(row).data == face(row) else "wrong")
        except SourceError as exc:
            reasons.append(str(exc))

    assert reasons == ["", "", "", "corrupt", "corrupt", "corrupt", "", "", "", "", "corrupt", ""]
    assert opened == [str(path.resolve())]


def test_an_empty_parquet_cell_is_a_missing_image(tmp_path: Path) -> None:
    images = [*records([0]), {"bytes": None, "path": "1.jpg"}, None]
    source = load_dataset(write_parquet(tmp_path / "a.parquet", images, {})).source

    assert source.read(0).data == face(0)
    for row in (1, 2):
        with pytest.raises(SourceError, match="missing"):
            source.read(row)


def test_a_file_that_changes_while_a_batch_of_it_is_read_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parquet(tmp_path / "a.parquet", records(range(4)), {})
    source = load_dataset(path).source
    unpack = parquet._Cells._bytes

    def changing(batch: object) -> object:
        os.utime(path, ns=(1, 1))
        return unpack(batch)

    monkeypatch.setattr(parquet._Cells, "_bytes", staticmethod(changing))

    with pytest.raises(SourceError, match="changed_during_run"):
        source.read(0)


@EVERY_KIND
def test_no_bytes_of_an_earlier_file_outlive_it(kind: str, tmp_path: Path) -> None:
    """Of a file that was written again behind its size and time, the new bytes are read: --verify compares them."""
    source = MAKERS[kind](tmp_path)
    before = [source.read(row).data for row in range(N)]
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        if kind == "pixels":
            data = data.translate(bytes.maketrans(b"01", b"10"))
        rewrite_in_place(path, data.replace(b"\xff\xd9", b"\xff\xd8"))

    assert all(source.read(row).data != before[row] for row in reversed(range(N)))


def test_a_row_that_no_parquet_file_has_is_corrupt(tmp_path: Path) -> None:
    found = load_dataset(write_parquet(tmp_path / "a.parquet", records([0]), {})).source
    assert isinstance(found, ParquetCells)

    with pytest.raises(SourceError, match="corrupt"):
        ParquetCells(found.files, found.column, found.file, np.array([1])).read(0)


@given(
    arrays.arrays(np.uint8, st.integers(1, 40).map(lambda side: (side, side))),
    st.sampled_from([" ", "  ", "\t", " \r\n"]),
)
def test_a_cell_of_numbers_is_the_picture_it_spells(greys: NDArray[np.uint8], space: str) -> None:
    data = grey_bmp(grey_words(greys).replace(" ", space).encode() + b" ")

    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "BMP"
        assert (np.asarray(image.convert("L")) == greys).all()


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        *((b"", "empty"), (b"  ", "empty"), (b"1 2 3", "truncated"), (b"256", "corrupt")),
        *((b"-1", "corrupt"), (b"1.5", "corrupt"), (b"1_0", "corrupt"), (b"a", "corrupt")),
        (b"9" * 5_000, "corrupt"),
        ("٣".encode(), "corrupt"),
    ],
)
def test_a_cell_that_spells_no_picture_has_a_reason(cell: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=f"^{reason}$"):
        grey_bmp(cell)


def test_one_long_word_among_many_costs_no_memory() -> None:
    """As an array of bytes, each word would be as wide as the longest."""
    with pytest.raises(SourceError, match="corrupt"):
        grey_bmp(b"1 " * 1_000_000 + b"1" * 1_000_000)
