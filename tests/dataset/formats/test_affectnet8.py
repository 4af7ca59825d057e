"""AffectNet's eight-class download: a label file an image, read as numpy reads it and never unpickled."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.dataset.formats.by_name import EXPRESSIONS, NO_EXPRESSIONS, parse_npy
from fer_audit.dataset.load import load_dataset
from tests.dataset.trees import plant, reasons, words

TYPES = ("<U1", "<U2", ">U8", "S2", "<i8", ">i2", "u1", "i1")


def npy(value: object, dtype: Any = None) -> bytes:  # noqa: ANN401 - what numpy takes
    """Return a .npy file as numpy writes it."""
    file = io.BytesIO()
    np.save(file, np.array(value, dtype))
    return file.getvalue()


def plant_label(root: Path, number: int, content: bytes, part: str = "train_set") -> str:
    """Write an image and its four label files, and return the image's id."""
    plant(root, f"{part}/images/{number}.jpg")
    plant(root, *(f"{part}/annotations/{number}_{word}.npy" for word in ("val", "aro", "lnd")))
    plant(root, f"{part}/annotations/{number}_exp.npy", content=content)
    return f"{part}/images/{number}.jpg"


@given(st.integers(0, 12), st.sampled_from(TYPES), st.sampled_from([(), (1,)]))
def test_a_label_file_is_read_as_numpy_reads_it(
    code: int, dtype: str, shape: tuple[int, ...]
) -> None:
    data = npy(np.full(shape, code).astype(dtype))

    code_for_numpy = int(np.load(io.BytesIO(data), allow_pickle=False).item())

    assert parse_npy(data) == (code_for_numpy if code_for_numpy <= 10 else None)


@pytest.mark.parametrize(
    "data",
    [
        *(npy([1, 2]), npy([]), npy([[1]]), npy(1.0), npy(True), npy(-1), npy("happy"), npy("")),
        *(npy("1_0"), npy("7")[:-1], npy("7") + b"\0", npy("7")[:-4] + b"\xff" * 4, b"", b"7"),
        *(npy("7").replace(b"U1", b"U0"), npy(7).replace(b"i8", b"i3"), b"PK\x03\x04"),
        npy("7")[:-4] + b"\x00\xd8\0\0",  # half of a character
        npy("7").replace(b"()", b"(1000000000000,)"),
        npy("7").replace(b"'<U1'", b"'|O'"),
        npy("7").replace(b"v\0{", b"\xff\xff{"),
    ],
)
def test_what_is_no_single_code_is_rejected(tmp_path: Path, data: bytes) -> None:
    image = plant_label(tmp_path, 0, data)

    dataset = load_dataset(tmp_path)

    assert words(dataset, "expression") == {image: None}
    assert dataset.attribute("expression").unsaid == ()
    assert reasons(dataset) == [(image, "label_unreadable")]


def test_codes_are_expressions_or_say_that_there_is_none(tmp_path: Path) -> None:
    parts = ("train_set", "val_set")
    ids = {
        plant_label(tmp_path, code, npy(str(code)), parts[code % 2]): (code, parts[code % 2])
        for code in range(len(EXPRESSIONS) + len(NO_EXPRESSIONS))
    }
    named = dict(enumerate(EXPRESSIONS))

    dataset = load_dataset(tmp_path)

    assert dataset.format == "affectnet8"
    assert words(dataset, "expression") == {
        name: named.get(code) for name, (code, _) in ids.items()
    }
    assert words(dataset, "split") == {name: part for name, (_, part) in ids.items()}
    assert [(a.name, a.kind) for a in dataset.attributes] == [
        ("expression", "label"),
        ("split", "split"),
    ]
    assert dataset.attribute("expression").unsaid == (
        ("None", 1),
        ("Uncertain", 1),
        ("No-Face", 1),
    )
    assert dataset.rejects == ()
    assert dataset.notes == ("33 files that are no images were ignored: 33 .npy.",)


def test_an_image_without_a_label_and_a_label_without_an_image_are_rejects(tmp_path: Path) -> None:
    plant_label(tmp_path, 1, npy("1"))
    plant(tmp_path, "train_set/images/2.jpg", "val_set/images/1.jpg", "cover.jpg")
    plant(tmp_path, "train_set/annotations/3_exp.npy", content=npy("1"))

    dataset = load_dataset(tmp_path)

    assert words(dataset, "expression")["train_set/images/1.jpg"] == "Happiness"
    assert reasons(dataset) == [
        ("cover.jpg", "label_missing"),
        ("train_set/images/2.jpg", "label_missing"),
        ("val_set/images/1.jpg", "label_missing"),
        ("train_set/annotations/3_exp.npy", "image_missing"),
    ]
    assert '1 label file has no image: "train_set/annotations/3_exp.npy".' in dataset.notes


def test_a_label_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    image = plant_label(tmp_path, 1, npy("1") + b" " * 1_000)

    assert reasons(load_dataset(tmp_path)) == [(image, "label_unreadable")]
