"""What is listed, what is not, and that nothing is opened on the way."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import Listing, bytewise_order, list_images, plain_file_facts
from fer_audit.dataset.load import load_dataset
from fer_audit.errors import DatasetError
from tests.dataset.trees import is_root, plant

ODD_NAMES = [
    *("caf\u00e9.jpg", "cafe\u0301.jpg", "\U0001f600.jpg", "\u202egpj.jpg", "two\nlines.jpg"),
    *("=cmd().jpg", '"><script>alert(1)<.jpg', "{{7*7}}.jpg", "\x1b[31m.jpg", "[bold].jpg"),
    " .jpg",
]


@given(
    st.lists(
        st.text(st.sampled_from("a/.\u00e9\uff5e\U0001f600\udc80\udcff"), max_size=6), unique=True
    )
)
def test_any_names_are_in_the_order_of_their_bytes_and_found_there(names: list[str]) -> None:
    """Raw bytes and rare characters have another order as text."""
    order = bytewise_order(names)
    ids = tuple(names[row] for row in order.tolist())
    empty = np.zeros(len(ids), np.int64)

    find = Listing(Path("/"), ids, empty, empty, (), (), whole=True).row_finder()

    assert [*map(os.fsencode, ids)] == sorted(map(os.fsencode, names))
    assert [find(name) for name in ids] == [*range(len(ids))]
    assert find("b") == find("\udc81") == -1


@pytest.mark.parametrize(
    ("files", "ids"),
    [
        (
            ["b/2.jpg", "b.jpg", "a/\u00e9.png", "a/z.png", "Z.webp"],
            ("Z.webp", "a/z.png", "a/\u00e9.png", "b.jpg", "b/2.jpg"),
        ),
        (
            [
                f"f.{suffix}"
                for suffix in ["jpg", "JPEG", "Png", "webp", "bmp", "GIF", "tif", "TIFF"]
            ],
            tuple(
                f"f.{suffix}"
                for suffix in ["GIF", "JPEG", "Png", "TIFF", "bmp", "jpg", "tif", "webp"]
            ),
        ),
        (["a.jpg", "._a.jpg", ".cache/b.jpg", ".jpg"], ("a.jpg",)),
        (["a.jpg", "lost+found/b.jpg", "System Volume Information/c.jpg"], ("a.jpg",)),
    ],
)
def test_images_are_listed_by_their_bytes_without_hidden_and_system_folders(
    tmp_path: Path, files: list[str], ids: tuple[str, ...]
) -> None:
    """Only the system may read a disk's own folders: a set on a disk's root would never be whole."""
    listing = list_images(plant(tmp_path, *files))

    assert listing.ids == ids
    assert listing.sizes.tolist() == [1] * len(ids)
    assert (listing.mtimes > 0).all()
    assert (listing.notes, listing.whole) == ((), True)


def test_tables_are_found_on_the_top_level_and_other_files_counted_by_suffix(
    tmp_path: Path,
) -> None:
    plant(tmp_path, "a.jpg", "b.CSV", "a.parquet", "c.tsv")
    plant(tmp_path, "a.txt", "b/c.txt", "b/README", "b/labels.csv")

    given = DatasetPath(tmp_path, is_folder=True)

    assert given.listing.tables == ("a.parquet", "b.CSV", "c.tsv")
    assert given.notes(read=("b.CSV",)) == (
        (
            'Label files that were not read: "a.parquet", "b/labels.csv", "c.tsv"; '
            "give the path of one to read it, or --layout.",
        ),
        ("3 files that are no images were ignored: 2 .txt, 1 without a suffix.",),
    )


def test_odd_names_are_listed_like_any_other(tmp_path: Path) -> None:
    assert set(list_images(plant(tmp_path, *ODD_NAMES)).ids) == set(ODD_NAMES)


def test_undecodable_bytes_survive_as_surrogate_escapes(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"x")

    dataset = load_dataset(tmp_path)

    assert os.fsencode(dataset.ids[0]) == b"caf\xe9.jpg"
    assert len(dataset.fingerprint) == 64


def test_links_keep_their_row_without_a_file_and_are_never_followed(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", "secret.jpg")
    root = plant(tmp_path / "root", "a.jpg")
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(outside)
    (root / "dangling.jpg").symlink_to(root / "nothing.jpg")
    (root / "link.jpg").symlink_to(outside / "secret.jpg")

    listing = list_images(root)

    assert listing.ids == ("a.jpg", "dangling.jpg", "link.jpg")
    assert listing.sizes.tolist() == [1, -1, -1]
    assert listing.mtimes.tolist()[1:] == [-1, -1]
    assert any('2 symbolic links were not followed: "loop", "out"' in n for n in listing.notes)
    assert any("2 image names are links, pipes or gone" in n for n in listing.notes)


def test_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    """Opening a pipe for reading would wait for ever."""
    plant(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s.jpg")  # a socket's path must be short

        assert list_images(Path(short)).sizes.tolist() == [-1]
    assert list_images(tmp_path).sizes.tolist() == [1, -1]


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """Give a folder that other users may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_an_unreadable_folder_is_a_note(shared_folder: Path) -> None:
    plant(shared_folder, "a.jpg", "closed/b.jpg")
    (shared_folder / "closed").chmod(0)
    if is_root():
        os.seteuid(65534)  # root reads everything
    try:
        listing = list_images(shared_folder)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (shared_folder / "closed").chmod(0o755)

    assert listing.ids == ("a.jpg",)
    assert listing.notes == ('1 folder could not be read: "closed".',)
    assert not listing.whole


def test_a_root_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        list_images(tmp_path / "nothing")


def test_a_file_behind_a_linked_folder_does_not_exist_for_us(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", "a.ppm")
    root = plant(tmp_path / "root", "real/a.ppm")
    (root / "linked").symlink_to(outside)

    assert plain_file_facts(root, "real/a.ppm", {})[0] == 1
    assert plain_file_facts(root, "linked/a.ppm", {}) == (-1, -1)
    assert plain_file_facts(root, "real", {}) == (-1, -1)
    assert plain_file_facts(root, "x" * 5000, {}) == (-1, -1)
