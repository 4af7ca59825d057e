"""What reads a dataset, as functions of bytes: tables, archives, cells and the label lists of known sets."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.sources.source import SourceError, source_of
from fer_audit.dataset.types import FaceDataset
from fer_audit.text import encodable

_CELEBA = b"Male Young Smiling\n1.jpg 1 -1 1\n2.jpg -1 1 -1\n"

LISTS: tuple[tuple[str, str, dict[str, bytes]], ...] = (
    (
        "rafdb",
        "list_patition_label.txt",
        {"aligned/train_1_aligned.jpg": b"x", "aligned/test_2_aligned.jpg": b"x"},
    ),
    (
        "rafdb",
        "train_1_manu_attri.txt",
        {"list_patition_label.txt": b"train_1.jpg 5\n", "train_1.jpg": b"x"},
    ),
    ("celeba", "list_attr_celeba.txt", {"1.jpg": b"x", "2.jpg": b"x"}),
    (
        "celeba",
        "list_eval_partition.txt",
        {"list_attr_celeba.txt": _CELEBA, "1.jpg": b"x", "2.jpg": b"x"},
    ),
    ("expw", "label.lst", {"a.jpg": b"x", "b.jpg": b"x"}),
    (
        "adience",
        "fold_0_data.txt",
        {
            "faces/u/coarse_tilt_aligned_face.1.a.jpg": b"x",
            "faces/v/coarse_tilt_aligned_face.2.b.jpg": b"x",
        },
    ),
    ("affectnet", "training.csv", {"1/a.jpg": b"x", "2/b.jpg": b"x"}),
    ("imagefolder", "metadata.jsonl", {"a.jpg": b"x", "b.jpg": b"x"}),
    ("imagefolder", "metadata.csv", {"a.jpg": b"x", "b.jpg": b"x"}),
    ("ferplus", "fer2013new.csv", {"FER2013Train/a.png": b"x", "FER2013Test/b.png": b"x"}),
    ("fairface", "fairface_label_train.csv", {"train/1.jpg": b"x", "train/2.jpg": b"x"}),
)
"""Format, name of the list that is fuzzed, and what lies there with it; the first byte of an input says which."""


def feed_csv(data: bytes, folder: Path) -> None:
    """Read a table of text beside two images."""
    _feed_table(data, folder, "table.csv")


def feed_parquet(data: bytes, folder: Path) -> None:
    """Read a parquet file in the same way."""
    _feed_table(data, folder, "table.parquet")


def _feed_table(data: bytes, folder: Path, name: str) -> None:
    for face in ("a.jpg", "b.jpg"):
        (folder / face).touch()
    (folder / name).write_bytes(data)
    check_dataset(load_dataset(folder / name, AuditConfig()))


def feed_npy(data: bytes, folder: Path) -> None:
    """Read the label file of one image."""
    for name in ("images/0.jpg", "annotations/0_exp.npy"):
        path = folder / "train_set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    dataset = load_dataset(folder, AuditConfig())
    check_dataset(dataset)
    expression = dataset.attribute("expression")
    said = expression.counts().sum() + sum(n for _, n in expression.unsaid)
    assert said + len(dataset.rejects) == 1


def feed_tar(data: bytes, folder: Path) -> None:
    """Read an archive with its members."""
    _feed_file(data, folder / "faces.tar", "webdataset")


def feed_parquet_images(data: bytes, folder: Path) -> None:
    """Read a parquet file with its cells."""
    _feed_file(data, folder / "faces.parquet", "hf_parquet")


def feed_pixels(data: bytes, folder: Path) -> None:
    """Read a table with the pictures in it."""
    _feed_file(data, folder / "fer.csv", "fer2013")


def _feed_file(data: bytes, path: Path, layout: str) -> None:
    path.write_bytes(data)
    dataset = load_dataset(path, AuditConfig.of(layout=layout))
    check_dataset(dataset)
    _read_all(dataset)


def feed_list(data: bytes, folder: Path) -> None:
    """Read the list of a known set beside two of its images; the first byte says which set."""
    number = data[0] % len(LISTS) if data else 0
    layout, table, others = LISTS[number]
    root = folder / str(number)
    for name, content in {**others, table: data[1:]}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    dataset = load_dataset(root, AuditConfig.of(layout=layout))
    check_dataset(dataset)
    _read_all(dataset)


def _read_all(dataset: FaceDataset) -> None:
    """Read the first rows as the decode processes do, from the source's JSON."""
    source = source_of(dataset.source.facts())
    assert b"".join(source.state()) == b"".join(dataset.source.state())
    for row in range(min(len(dataset), 20)):
        with contextlib.suppress(SourceError):
            assert source.read(row).data is not None


def check_dataset(dataset: FaceDataset) -> None:
    """Assert what every dataset promises."""
    n = len(dataset)
    assert dataset.source.there.shape == (n,)
    assert len(set(dataset.ids)) == n
    for attribute in dataset.attributes:
        assert attribute.codes.shape == (n,)
        assert n == 0 or -1 <= attribute.codes.min() <= attribute.codes.max()
        assert n == 0 or attribute.codes.max() < len(attribute.categories)
    for text in (*dataset.notes, *map(encodable, dataset.ids)):
        text.encode()
