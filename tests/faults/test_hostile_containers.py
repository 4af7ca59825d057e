"""Archives, parquet files and pixels in a CSV that are broken, hostile or hold a picture twice."""

from __future__ import annotations

import io
import itertools
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_audit.dataset.load import load_dataset
from fer_audit.encoders.types import ExportedModel
from fer_audit.report.files.pictures import read_pictures
from tests.dataset.cells import face, sample
from tests.dataset.trees import reasons as rejects
from tests.faults.conftest import QUICK
from tests.faults.containers import (
    EVERY_KIND,
    GROUP_ROWS,
    PARQUET,
    PIXELS,
    TAR,
    Kind,
    are_those_of,
    reasons,
)
from tests.faults.crowd import Crowd
from tests.known import known

ACCEPT_ALL = ("--max-errors", "1")


@pytest.fixture
def places(tiny_model: ExportedModel, run_dir: Path, cache_dir: Path) -> tuple[str | Path, ...]:
    """Give the options of a run in the test's own folder."""
    return ("--model", tiny_model.path, "--cache-dir", cache_dir, "--out", run_dir)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder for a set."""
    (tmp_path / "set").mkdir()
    return tmp_path / "set"


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


@pytest.mark.core
def test_of_a_cut_archive_the_members_before_the_cut_are_used_and_the_exit_code_tells(
    crowd: Crowd, places: tuple[str | Path, ...], folder: Path, run_dir: Path
) -> None:
    whole, broken = (TAR.write(folder / name, range(4)) for name in ("a.tar", "b.tar"))
    TAR.write(broken, range(4, 8))
    cut(broken, broken.read_bytes().index(face(6)) + 100)

    ended = crowd.run("embed", folder, *places)

    assert ended.code == 4, ended.err
    assert "a part of the set could not be read" in ended.err
    assert list(reasons(run_dir)) == [*TAR.ids(whole, range(4)), *TAR.ids(broken, range(4, 6))]
    assert all(are_those_of(run_dir, TAR.vectors(range(6))))
    assert ("b.tar", "archive_truncated") in rejects(load_dataset(folder))


def test_only_the_rows_of_a_broken_row_group_fail(
    crowd: Crowd, places: tuple[str | Path, ...], folder: Path, run_dir: Path
) -> None:
    numbers = range(3 * GROUP_ROWS)
    path = PARQUET.write(folder / "a.parquet", numbers)
    data = path.read_bytes()
    first = data.index(face(GROUP_ROWS))
    page = data.rindex(b"\x15\x00", 0, first)  # the header of the group's first page
    path.write_bytes(data[:page] + b"\xff" * (first - page) + data[first:])

    ended = crowd.run("embed", path, *places)

    assert ended.code == 4, ended.err
    whole, broken = [None] * GROUP_ROWS, ["corrupt"] * GROUP_ROWS
    assert [*reasons(run_dir).values()] == [*whole, *broken, *whole]
    right = are_those_of(run_dir, PARQUET.vectors(numbers))
    assert right == [reason is None for reason in reasons(run_dir).values()]


@pytest.mark.parametrize("broken", ["a.parquet", "b.parquet"])
def test_a_parquet_file_without_its_footer_is_named_and_no_run_begins(
    broken: str, crowd: Crowd, places: tuple[str | Path, ...], folder: Path, run_dir: Path
) -> None:
    for name in ("a.parquet", "b.parquet"):
        PARQUET.write(folder / name, range(4))
    cut(folder / broken, (folder / broken).stat().st_size - 50)

    for given in (folder, folder / broken):
        ended = crowd.run("embed", given, *places)

        assert ended.code == 3, ended.err
        assert f"{folder / broken} cannot be read as parquet" in ended.err
    assert not run_dir.exists()


def test_a_csv_that_ends_within_its_pixels_has_the_rows_before(
    crowd: Crowd, places: tuple[str | Path, ...], folder: Path, run_dir: Path
) -> None:
    path = PIXELS.write(folder / "a.csv", range(4))
    cut(path, path.stat().st_size - 100)

    ended = crowd.run("embed", path, *places)

    assert ended.code == 0, ended.err
    assert list(reasons(run_dir)) == PIXELS.ids(path, range(3))
    assert all(are_those_of(run_dir, PIXELS.vectors(range(3))))
    assert rejects(load_dataset(path)) == [("line 5", "cells_miscounted")]


def member(name: str, data: bytes = b"", **facts: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return one entry of an archive, as its writer wants it to be."""
    found = tarfile.TarInfo(name)
    found.size = len(data)
    for fact, value in facts.items():
        setattr(found, fact, value)
    return found, data


def odd_members(outside: Path) -> Iterator[tuple[tarfile.TarInfo, bytes, str, str | None]]:
    """Yield (entry, data, its name in ids, what becomes of it); None = a row, ":word" = a row that fails."""
    escape = f"{outside}/absolute.jpg"
    yield *member(escape, face(10)), escape, None
    yield *member("../../up.jpg", face(11)), "../../up.jpg", None
    yield *member("\udcff\x1b[2J.jpg", face(12)), "\udcff\x1b[2J.jpg", None
    yield *member("empty.jpg"), "empty.jpg", ":empty"
    yield *member("twice.jpg", face(13)), "twice.jpg", None
    yield *member("./twice.jpg", face(14)), "twice.jpg", "duplicate_member"
    for kind, word in (
        *((tarfile.SYMTYPE, "link_in_archive"), (tarfile.LNKTYPE, "link_in_archive")),
        *((tarfile.CHRTYPE, "not_a_file"), (tarfile.BLKTYPE, "not_a_file")),
        *((tarfile.FIFOTYPE, "not_a_file"), (tarfile.GNUTYPE_SPARSE, "sparse_member")),
    ):
        name = f"type{kind.decode()}.jpg"
        yield *member(name, type=kind, linkname=f"{outside}/secret.jpg"), name, word
    sparse = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "1000000000000"}
    yield *member("hole.jpg", face(15), pax_headers=sparse), "hole.jpg", "sparse_member"
    yield *member("n", face(16), pax_headers={"path": "a\0b.jpg"}), "a\0b.jpg", "name_invalid"
    long = "x" * 5_000 + ".jpg"
    yield *member(long, face(17)), long[:1_000], "name_invalid"


def write(path: Path, entries: list[tuple[tarfile.TarInfo, bytes]], form: int) -> None:
    with tarfile.open(path, "w", format=form, errors="surrogateescape") as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data[: info.size] if info.isreg() else b""))


def below(place: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of everything under a folder but the run and the cache."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in place.rglob("*")
        if path.relative_to(place).parts[0] not in ("run", "cache") and path.is_file()
    }


@pytest.mark.core
def test_no_member_of_a_hostile_archive_is_unpacked_and_each_is_a_row_or_a_reject(
    crowd: Crowd, places: tuple[str | Path, ...], folder: Path, run_dir: Path, tmp_path: Path
) -> None:
    """A path to the root or upwards is only a name: no name of a member is ever a place to write to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(face(99))
    first, last = ([member(*each) for each in sample(name, 0)] for name in ("first", "last"))
    odd = [*odd_members(outside)]
    entries = [*first, *((info, data) for info, data, *_ in odd), *last]
    write(folder / "a.tar", entries, tarfile.PAX_FORMAT)
    before = below(tmp_path)

    ended = crowd.run("embed", folder / "a.tar", *places, *ACCEPT_ALL)

    assert ended.code == 0, ended.err
    assert below(tmp_path) == before
    found = load_dataset(folder / "a.tar")
    rows = {f"a.tar!{name}": word for *_, name, word in odd if not (word or ":").strip(":")}
    rows |= {f"a.tar!{name}": word[1:] for *_, name, word in odd if word and word[0] == ":"}
    assert set(found.ids) == {"a.tar!first.jpg", "a.tar!last.jpg", *rows}
    assert rejects(found) == [
        (f"a.tar!{name}", word) for *_, name, word in odd if word and word[0] != ":"
    ]
    failed = {reason for reason in reasons(run_dir).values() if reason}
    assert failed == {"empty"}
    assert len(reasons(run_dir)) == len(found)
    assert "\x1b" not in ended.text


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *((kind, size) for kind in (b"0", b"L", b"x", b"S") for size in (2**62, 2**40)),
        (tarfile.REGTYPE, -5),
    ],
)
def test_a_header_that_lies_about_its_size_ends_the_archive_and_is_said(
    kind: bytes, size: int, folder: Path
) -> None:
    lie = tarfile.TarInfo("lie.jpg")
    lie.type, lie.size = kind, size
    good = tarfile.TarInfo("good.jpg")
    good.size = len(face(0))
    blocks = good.tobuf() + face(0) + bytes(-len(face(0)) % 512)
    (folder / "a.tar").write_bytes(blocks + lie.tobuf(tarfile.GNU_FORMAT) + blocks + bytes(1_024))

    found = load_dataset(folder / "a.tar")

    assert found.ids == ("a.tar!good.jpg",)
    assert found.source.read(0).data == face(0)
    assert not found.whole
    assert [item for item, word in rejects(found) if word.startswith("archive_")] == ["a.tar"]


@EVERY_KIND
def test_copies_across_files_count_and_pictures_are_made_and_purged(
    kind: Kind,
    crowd: Crowd,
    places: tuple[str | Path, ...],
    folder: Path,
    run_dir: Path,
    cache_dir: Path,
) -> None:
    """The set itself stays as it is."""
    parts = [[*range(60)], [3, 5, *range(60, 98)]]
    if kind is PIXELS:
        parts = [[*parts[0], *parts[1]]]
    paths = [kind.write(folder / f"{i}{kind.suffix}", part) for i, part in enumerate(parts)]
    ids = [each for path, part in zip(paths, parts, strict=True) for each in kind.ids(path, part)]
    before = below(folder.parent)

    ended = crowd.run("run", folder, *places, *QUICK, "--thumbnails", "2", "--csv")

    assert ended.code == 0, ended.err
    result = json.loads((run_dir / "result.json").read_text())
    held: dict[bytes, list[str]] = {}
    for each, number in zip(ids, itertools.chain(*parts), strict=True):
        held.setdefault(kind.stored(number), []).append(each)
    copies = [same for same in held.values() if len(same) > 1]
    assert [ids[3], ids[60]] in copies
    assert sorted(result["duplicates"]["examples"]) == sorted(copies), "worst first"
    assert result["duplicates"]["groups"] == len(copies)
    pictures = known(read_pictures(run_dir / "pictures.json"))
    assert pictures.faces
    assert pictures.sheets
    assert [each for each in ids if each not in (run_dir / "rows.csv").read_text()] == []

    purged = crowd.run("purge", run_dir, "--cache-dir", cache_dir, "--rows")

    assert purged.code == 0, purged.err
    left = [path for path in (*run_dir.rglob("*"), *cache_dir.rglob("*")) if path.is_file()]
    assert [path for path in left if b"data:image/webp" in path.read_bytes()] == []
    assert [path for path in left if path.suffix in (".npy", ".parquet", ".csv")] == []
    assert below(folder.parent) == before
