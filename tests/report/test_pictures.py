"""pictures.json: out and back without a loss, and nothing comes in that we would not have written."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_audit.errors import StoreError
from fer_audit.report.files import pictures as module
from fer_audit.report.files.pictures import (
    N_STEPS,
    Pictures,
    grid_of,
    pictures_json,
    read_pictures,
)
from tests.known import known
from tests.report.drawn_pictures import SHOWN, some_pictures, some_points, webp

Document = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a pictures.json that is not there yet."""
    return tmp_path / "pictures.json"


def written(path: Path, pictures: Pictures) -> Path:
    path.write_text(pictures_json(pictures), encoding="utf-8")
    return path


def packed(values: list[Any], dtype: str) -> str:
    return text(np.array(values, dtype).tobytes())


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


EMPTY = Pictures(None, (), (), (("map", "there are no clusters"),))


@pytest.mark.parametrize("given", [some_pictures(), EMPTY], ids=["some", "none"])
def test_pictures_come_back_as_they_went_out(path: Path, given: Pictures) -> None:
    found = known(read_pictures(written(path, given)))

    assert pictures_json(found) == pictures_json(given)
    assert dataclasses.replace(found, map=None) == dataclasses.replace(given, map=None)


def test_a_map_comes_back_with_the_same_numbers_in_the_same_types(path: Path) -> None:
    """What is drawn from memory and what is drawn from the file must not differ by a byte."""
    before = some_points()
    found = known(read_pictures(written(path, some_pictures())))

    after = known(found.map)
    pairs = [(getattr(before, name), getattr(after, name)) for name in ("rows", "grid", "points")]
    for one, other in zip(before.colourings, after.colourings, strict=True):
        assert (one.name, one.kind, one.groups) == (other.name, other.kind, other.groups)
        pairs.append((one.codes, other.codes))
    for one_array, other_array in pairs:
        assert one_array.dtype == other_array.dtype
        assert np.array_equal(one_array, other_array)


def test_no_file_is_no_pictures(path: Path) -> None:
    assert read_pictures(path) is None


def test_points_are_kept_to_a_step_of_their_box() -> None:
    points = np.random.default_rng(0).normal(3, 50, (500, 2)).astype(np.float32)
    box, grid = grid_of(points)

    found = dataclasses.replace(some_points(), box=box, grid=grid).points

    assert np.abs(found - points).max() <= np.ptp(points, axis=0).max() / N_STEPS
    assert grid.min() == 0
    assert grid.max() == N_STEPS


def test_one_place_is_a_box_without_a_size() -> None:
    box, grid = grid_of(np.full((3, 2), 1.5, np.float32))

    assert box == (1.5, 1.5, 1.5, 1.5)
    assert (dataclasses.replace(some_points(), box=box, grid=grid).points == 1.5).all()


def put(*keys: str | int, value: object) -> Callable[[Document], None]:
    """Return a change of one place in the document."""

    def change(document: Document) -> None:
        place: Any = document
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


def sized(width: int, height: int) -> bytes:
    """Return a picture whose header says it is as large as that."""
    data = bytearray(webp())
    data[26:30] = struct.pack("<HH", width, height)
    return bytes(data)


PICTURE = ("faces", 0, "webp")
HOSTILE = {
    "another schema": put("schema", value="fer-audit/pictures/3"),
    "no map at all": lambda document: document.pop("map"),
    "more points than images": put("map", "n", value=SHOWN - 1),
    "more points than rows": put("map", "grid", value=packed([0] * 2 * (SHOWN + 1), "<u2")),
    "half a point": put("map", "grid", value=packed([0] * (2 * SHOWN - 1), "<u2")),
    "no points": put("map", "rows", value=""),
    "a million points": put("map", "rows", value=packed(list(range(10**6)), "<i4")),
    "rows of three bytes": put("map", "rows", value=text(b"abc")),
    "a count that is true": put("map", "n", value=True),
    "a box of three": put("map", "box", value=[0.0, 0.0, 1.0]),
    "a box inside out": put("map", "box", value=[1.0, 0.0, 0.0, 1.0]),
    "a box without an end": put("map", "box", value=[0.0, 0.0, 1e308, 1.0]),
    "a box of texts": put("map", "box", value=["0", "0", "1", "1"]),
    "points that are no base64": put("map", "grid", value="*" * 40),
    "points with a line break": put("map", "grid", value="AAAA\n" * 8),
    "points that are no text": put("map", "grid", value=[1, 2]),
    "points beyond ASCII": put("map", "grid", value="ä" * 40),
    "rows that go back": put("map", "rows", value=packed([0, 1, 2, 4, 5, 8, 7], "<i4")),
    "rows below zero": put("map", "rows", value=packed([-1, 1, 2, 4, 5, 7, 8], "<i4")),
    "rows that overflow": put(
        "map", "rows", value=packed([0, 1, 2, 4, 5, 2**31 - 1, -(2**31)], "<i4")
    ),
    "a code without a group": put(
        "map", "colourings", 0, "codes", value=packed([0, 1, 2, 0, 0, 0, 0], "<i2")
    ),
    "a code below -1": put(
        "map", "colourings", 0, "codes", value=packed([0, 1, -2, 0, 0, 0, 0], "<i2")
    ),
    "codes that are too long": put(
        "map", "colourings", 0, "codes", value=packed([0] * 9000, "<i2")
    ),
    "a colouring of another kind": put("map", "colourings", 0, "kind", value="style"),
    "a group that is a number": put("map", "colourings", 0, "groups", value=["0", 1]),
    "another method": put("map", "method", value="t-SNE"),
    "more drawn than there are": put("faces", 0, "drawn", value=401),
    "nothing drawn": put("faces", 0, "drawn", value=0),
    "a cluster below zero": put("faces", 0, "cluster", value=-1),
    "a group of no attribute": put("faces", 0, "group", value="Asian"),
    "an attribute without a group": put("faces", 1, "group", value=None),
    "a sheet of another kind": put("sheets", 0, "kind", value="ugliest"),
    "a sheet without faces": put("sheets", 0, "n", value=0),
    "a sheet that is blurred a bit": put("sheets", 0, "blurred", value=0.5),
    "faces that are no array": put("faces", value={}),
    "no picture": put(*PICTURE, value=""),
    "an SVG": put(*PICTURE, value=text(b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 3)),
    "a script": put(*PICTURE, value='"><script>alert(1)</script>'),
    "a lossless WebP": put(*PICTURE, value=text(webp(lossless=True))),
    "a WebP with EXIF": put(*PICTURE, value=text(webp(exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"))),
    "a WebP with a tail": put(*PICTURE, value=text(webp() + b"tail")),
    "half a WebP": put(*PICTURE, value=text(webp()[:-10])),
    "a WebP of 16,383 x 16,383": put(*PICTURE, value=text(sized(0x3FFF, 0x3FFF))),
    "a WebP without pixels": put(*PICTURE, value=text(sized(0, 8))),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_what_we_would_not_have_written_is_refused(
    change: Callable[[Document], object], path: Path
) -> None:
    document = json.loads(pictures_json(some_pictures()))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")

    with pytest.raises(StoreError) as caught:
        read_pictures(path)
    assert str(path) in str(caught.value)
    assert "fer-audit run" in caught.value.hint
    assert len(str(caught.value)) < len(str(path)) + 200


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"schema": NaN}', b"9" * 5_000],
    ids=["empty", "null", "array", "object", "no UTF-8", "deep", "NaN", "long number"],
)
def test_what_is_no_document_of_ours_is_refused(content: bytes, path: Path) -> None:
    path.write_bytes(content)

    with pytest.raises(StoreError):
        read_pictures(path)


def test_a_file_that_is_too_large_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 1_000)
    written(path, some_pictures())

    with pytest.raises(StoreError, match="larger than"):
        read_pictures(path)


def test_too_many_pictures_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PICTURES", 1)

    with pytest.raises(StoreError, match="faces has 2 pictures"):
        read_pictures(written(path, some_pictures()))


def test_a_picture_that_is_too_large_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_IMAGE_BYTES", 50)

    with pytest.raises(StoreError, match=r"faces\[0\]\.webp is larger"):
        read_pictures(written(path, some_pictures()))


def test_a_folder_and_a_pipe_are_no_pictures(path: Path) -> None:
    """Opening a pipe would wait for ever."""
    path.mkdir()
    pipe = path / "pipe"
    os.mkfifo(pipe)

    for place in (path, pipe):
        with pytest.raises(StoreError, match="no plain file"):
            read_pictures(place)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_but_never_a_crash(
    data: st.DataObject, path: Path
) -> None:
    content = bytearray(pictures_json(some_pictures()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(len(content) // 2, len(content))) :]
    path.write_bytes(content)

    try:
        found = read_pictures(path)
    except StoreError:
        return
    assert found is not None
    assert pictures_json(found)
