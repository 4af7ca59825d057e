"""WebDataset: what a key joins, and what odd members become."""

from __future__ import annotations

import errno
import gzip
import json
import tarfile
from operator import is_
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_audit.config import AuditConfig
from fer_audit.dataset.formats import webdataset
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.sources.files import TarMembers
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.cells import face, labels, sample, samples, write_tar
from tests.dataset.trees import plant, reasons, words


def test_labels_and_images_are_joined_by_key_in_the_order_of_the_archives(tmp_path: Path) -> None:
    write_tar(tmp_path / "f-00.tar", samples(range(3)))
    write_tar(tmp_path / "f-01.tar", samples(range(3, 5)))

    for path in (tmp_path, tmp_path / "f-{00..01}.tar"):
        dataset = load_dataset(path)

        assert dataset.format == "webdataset"
        assert dataset.ids == (
            *(f"f-00.tar!{n:05d}.jpg" for n in range(3)),
            *(f"f-01.tar!{n:05d}.jpg" for n in range(3, 5)),
        )
        for field in ("gender", "race"):
            found = list(words(dataset, field).values())
            assert found == [labels(n)[field] for n in range(5)]
        assert dataset.ages is not None
        assert dataset.ages.tolist() == [labels(n)["age"] for n in range(5)]
        assert [dataset.source.read(n).data for n in range(5)] == [face(n) for n in range(5)]
        assert (dataset.rejects, dataset.notes, dataset.whole) == ((), (), True)


def test_a_row_has_one_name_in_memory(tmp_path: Path) -> None:
    """The text itself, not an equal one: of a million rows, a second one would be 72 MB."""
    dataset = load_dataset(write_tar(tmp_path / "f.tar", samples(range(3))))

    assert isinstance(dataset.source, TarMembers)
    assert all(map(is_, dataset.source.names, dataset.ids))


@given(st.permutations(samples(range(3))))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_the_members_changes_no_label(
    tmp_path: Path, members: list[tuple[str, bytes]]
) -> None:
    dataset = load_dataset(write_tar(tmp_path / "f.tar", members))

    assert words(dataset, "race") == {f"f.tar!{n:05d}.jpg": labels(n)["race"] for n in range(3)}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_form_of_tar_and_every_name_it_can_hold_is_read(form: int, tmp_path: Path) -> None:
    long = "/".join(["d" * 40] * (3 if form == tarfile.USTAR_FORMAT else 20))
    keys = ["plain", "./train.v1/20_0_0", f"{long}/a", "très/é"]
    members = [member for n, key in enumerate(keys) for member in sample(key, n)]
    for n, name in enumerate(("z.jpg.chip.jpg", "z.jpg.chip.json")):
        members.append((name, sample("", 4)[n][1]))

    dataset = load_dataset(write_tar(tmp_path / "f.tar", members, form=form))

    names = [*(f"{key.removeprefix('./')}.jpg" for key in keys), "z.jpg.chip.jpg"]
    assert dataset.ids == tuple(f"f.tar!{name}" for name in names)
    assert [*words(dataset, "gender").values()] == [labels(n)["gender"] for n in range(5)]
    assert [dataset.source.read(n).data for n in range(5)] == [face(n) for n in range(5)]


def test_odd_members_are_rejects_rows_without_labels_or_skipped_and_never_a_crash(
    tmp_path: Path,
) -> None:
    members = [
        *sample("0", 0),
        ("0.jpg", face(7)),
        ("0.png", face(8)),
        ("._0.jpg", b"apple"),
        ("empty.jpg", b""),
        ("alone.json", b"{}"),
        ("list.jpg", face(1)),
        ("list.json", b"[1]"),
        ("broken.jpg", face(2)),
        ("broken.json", b'{"race": "\xff'),
        ("long.jpg", face(3)),
        ("long.cls", b"9" * 2_000),
        ("deep.json", b"[" * 5_000),
        ("x.npy", b"\x93NUMPY"),
    ]

    dataset = load_dataset(write_tar(tmp_path / "f.tar", members))

    assert dataset.ids == tuple(
        f"f.tar!{name}.jpg" for name in ("0", "empty", "list", "broken", "long")
    )
    assert [*words(dataset, "race").values()] == [labels(0)["race"], None, None, None, None]
    assert reasons(dataset) == [
        ("f.tar!0.jpg", "duplicate_member"),
        ("f.tar!0.png", "second_image_of_key"),
        ("f.tar!list.json", "label_unreadable"),
        ("f.tar!broken.json", "label_unreadable"),
        ("f.tar!long.cls", "label_too_long"),
        ("f.tar!deep.json", "label_unreadable"),
        ("f.tar!alone", "label_without_image"),
    ]
    assert dict(dataset.skipped) == {
        "hidden member of an archive": 1,
        "member of an archive that is neither image nor label": 1,
    }
    assert dataset.source.read(0).data == face(0), "the first of two members of a name"
    assert "4 images have no label member." in dataset.notes


def test_links_in_an_archive_are_rejects(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "f.tar", "w") as archive:
        for name, kind in (("a.jpg", tarfile.SYMTYPE), ("b.jpg", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        member = tarfile.TarInfo("c")
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    write_tar(tmp_path / "g.tar", samples([0]))

    dataset = load_dataset(tmp_path)

    assert dataset.ids == ("g.tar!00000.jpg",)
    assert reasons(dataset) == [
        ("f.tar!a.jpg", "link_in_archive"),
        ("f.tar!b.jpg", "link_in_archive"),
    ]


def test_cls_and_txt_are_the_class_and_codes_stay_codes(tmp_path: Path) -> None:
    members = [("0.JPG", face(0)), ("0.cls", b"3\n"), ("1.jpg", face(1)), ("1.txt", b" 10 ")]

    dataset = load_dataset(write_tar(tmp_path / "f.tar", members))

    assert words(dataset, "class") == {"f.tar!0.JPG": "3", "f.tar!1.jpg": "10"}
    assert dataset.attribute("class").kind == "label"


def test_fields_that_are_no_words_are_no_labels(tmp_path: Path) -> None:
    fields = {"race": 1.0, "gender": True, "emotion": None, "class": ["a"], "box": {"x": 1}}
    members = [("0.jpg", face(0)), ("0.json", json.dumps(fields).encode())]

    dataset = load_dataset(write_tar(tmp_path / "f.tar", members))

    assert {each.name: each.categories for each in dataset.attributes} == {
        "race": ("1",),
        "gender": ("true",),
    }
    assert any('"box", "class"' in note for note in dataset.notes)


def test_a_cut_archive_gives_what_lies_before_the_cut(tmp_path: Path) -> None:
    """At every place: a row is there, whole, or it is not; and that something is missing is said."""
    path = write_tar(tmp_path / "f.tar", samples(range(3)))
    data = path.read_bytes()
    whole = load_dataset(path)
    with tarfile.open(path) as archive:
        images = [each for each in archive.getmembers() if each.name.endswith(".jpg")]
        last = archive.getmembers()[-1]
    ends = [each.offset_data + each.size for each in images]
    for cut in (*range(ends[0], last.offset_data + last.size + 512, 97), *ends, len(data) - 1):
        path.write_bytes(data[:cut])

        dataset = load_dataset(path)

        rows = sum(end <= cut for end in ends)
        assert dataset.ids == whole.ids[:rows], cut
        assert [dataset.source.read(n).data for n in range(rows)] == [face(n) for n in range(rows)]
        if cut < last.offset_data + last.size + 512:
            assert ("f.tar", "archive_truncated") in reasons(dataset), cut
            assert not dataset.whole
            assert "1 archive is cut or damaged" in dataset.notes[0]


def test_a_header_of_garbage_ends_the_archive_and_is_said(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "f.tar", samples(range(3)))
    with tarfile.open(path) as archive:
        third = archive.getmembers()[2].offset
    data = bytearray(path.read_bytes())
    data[third : third + 512] = b"x" * 512
    path.write_bytes(data)

    dataset = load_dataset(path)

    assert dataset.ids == ("f.tar!00000.jpg",)
    assert reasons(dataset) == [("f.tar", "archive_damaged")]
    assert not dataset.whole


def test_a_disk_that_cannot_be_read_ends_the_archive_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tar(tmp_path / "f.tar", samples(range(3)))
    with tarfile.open(path) as archive:
        third = archive.getmembers()[2].offset
    read = webdataset._Headers.read

    def failing(self: webdataset._Headers, size: int | None = -1, /) -> bytes:
        if self.tell() == third:
            raise OSError(errno.EIO, "Input/output error")
        return read(self, size)

    monkeypatch.setattr(webdataset._Headers, "read", failing)

    dataset = load_dataset(path)

    assert dataset.ids == ("f.tar!00000.jpg",)
    assert reasons(dataset) == [("f.tar", "archive_unreadable")]
    assert not dataset.whole


def test_a_header_that_claims_gigabytes_is_not_read(tmp_path: Path) -> None:
    """`tarfile` would read an extended header of any size, and search it in quadratic time."""
    header = tarfile.TarInfo("h")
    header.type, header.size = tarfile.XHDTYPE, 4_000_000
    block = header.tobuf(tarfile.USTAR_FORMAT)
    path = write_tar(tmp_path / "f.tar", samples([0]))
    data = path.read_bytes()
    with tarfile.open(path) as archive:
        archive.getmembers()
        end = archive.offset
    path.write_bytes(data[:end] + block + b"1" * header.size + data[end:])

    assert reasons(load_dataset(path)) == [("f.tar", "archive_damaged")]
    assert header.size > webdataset.MAX_HEADER


@pytest.mark.parametrize("name", ["f.tar.gz", "f.tar"])
def test_a_compressed_archive_is_refused_by_name(name: str, tmp_path: Path) -> None:
    data = write_tar(tmp_path / "plain", samples([0])).read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(data))

    with pytest.raises(DatasetError, match="is compressed with gzip") as refused:
        load_dataset(tmp_path / name)

    assert "Unpack it first" in refused.value.hint


@pytest.mark.parametrize("content", [b"", b"<html>" * 200, bytes(1_024)])
def test_what_holds_no_image_is_an_error(content: bytes, tmp_path: Path) -> None:
    plant(tmp_path, "f.tar", content=content)

    with pytest.raises(DatasetError, match="no image in 1 archive"):
        load_dataset(tmp_path / "f.tar")


def test_a_field_that_is_asked_for_and_not_there_is_an_error(tmp_path: Path) -> None:
    write_tar(tmp_path / "f.tar", samples([0]))

    with pytest.raises(ConfigError, match='no column "mood"'):
        load_dataset(tmp_path / "f.tar", AuditConfig.of(label=(("mood", "mood"),)))


def test_a_folder_with_images_is_not_read_for_its_archives(tmp_path: Path) -> None:
    write_tar(tmp_path / "f.tar", samples([0]))
    plant(tmp_path, "happy/a.jpg", "sad/b.jpg")

    dataset = load_dataset(tmp_path)

    assert dataset.format == "folder"
    assert any("1 .tar" in note for note in dataset.notes)
