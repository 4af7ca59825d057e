"""CK+ in sequences and CK+48 in class folders: subjects from the names, the last frame of a sequence its row."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.dataset.formats.by_name import CKPLUS_EXPRESSIONS as EXPRESSIONS
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from tests.dataset.trees import plant, reasons, words


def frame(sequence: str, number: int, top: str = "cohn-kanade-images") -> str:
    """Return the path of a frame of "S005_001"."""
    return f"{top}/{sequence.replace('_', '/')}/{sequence}_{number:08}.png"


def emotion(sequence: str, number: int) -> str:
    """Return the path of the emotion file of a frame."""
    return frame(sequence, number, "Emotion").replace(".png", "_emotion.txt")


def read(root: Path, text: bytes | str, *names: str, said: int = 2) -> FaceDataset:
    """Read two frames of S005_001 and an emotion file of frame `said`, with some files more."""
    content = text if isinstance(text, bytes) else text.encode()
    plant(root, frame("S005_001", 1), frame("S005_001", 2), *names)
    return load_dataset(plant(root, emotion("S005_001", said), content=content))


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 999), st.integers(0, 999)),
        st.tuples(st.sets(st.integers(1, 71), min_size=1), st.none() | st.integers(0, 7)),
        min_size=1,
        max_size=5,
    )
)
def test_every_sequence_is_its_last_frame_with_its_emotion(
    sequences: dict[tuple[int, int], tuple[set[int], int | None]],
) -> None:
    expected, people = {}, {}
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for (person, number), (frames, code) in sequences.items():
            name = f"S{person:03}_{number:03}"
            plant(root, *(frame(name, each) for each in frames))
            row = frame(name, max(frames))
            expected[row] = None if code is None else EXPRESSIONS[code]
            people[row] = f"S{person:03}"
            if code is not None:
                plant(
                    root, emotion(name, max(frames)), content=f"   {code}.0000000e+00\n".encode()
                )
        dataset = load_dataset(root)

    listed = sum(len(frames) for frames, _ in sequences.values())
    assert dataset.format == "ckplus"
    assert words(dataset, "expression") == expected
    assert words(dataset, "subject") == people
    assert len(dataset) + sum(n for _, n in dataset.skipped) == listed
    assert dataset.rejects == ()


@pytest.mark.parametrize(
    "text", ["", "8", "-1", "1.5", "nan", "inf", "1 2", "happy", b"\xff", b" " * 1_000 + b"1"]
)
def test_an_emotion_that_is_no_code_is_rejected(tmp_path: Path, text: bytes | str) -> None:
    dataset = read(tmp_path, text)

    assert words(dataset, "expression") == {frame("S005_001", 2): None}
    assert reasons(dataset) == [(emotion("S005_001", 2), "label_unreadable")]


def test_an_emotion_of_another_frame_than_the_last_is_not_given_to_it(tmp_path: Path) -> None:
    """The peak may be missing here: its neighbour shows something else."""
    dataset = read(tmp_path, "6", said=3)

    assert words(dataset, "expression") == {frame("S005_001", 2): None}
    assert reasons(dataset) == [(emotion("S005_001", 3), "not_of_a_last_frame")]


def test_what_was_skipped_is_counted_and_said_and_odd_names_keep_their_rows(
    tmp_path: Path,
) -> None:
    dataset = read(tmp_path, "6", frame("S006_001", 1), "cover.png")

    assert words(dataset, "subject")["cover.png"] is None
    assert len(dataset) == 3
    assert dataset.skipped == (("earlier frame of a sequence", 1),)
    assert "1 earlier frame was skipped. 2 rows have no emotion" in dataset.notes[0]
    assert reasons(dataset) == [("cover.png", "name_not_ckplus")]
    assert not any("not read" in note or "ignored" in note for note in dataset.notes)


def test_ck48_has_subjects_and_says_how_to_test(tmp_path: Path) -> None:
    frames = [f"S010_00{s}_0000001{i}.png" for s in (4, 5) for i in range(3)]
    folders = [*["anger"] * 3, *["surprise"] * 3]
    names = [f"{where}/{name}" for where, name in zip(folders, frames, strict=True)]

    dataset = load_dataset(plant(tmp_path, *names, "S011_001_00000001.png"))

    assert words(dataset, "expression") == {
        **dict(zip(names, folders, strict=True)),
        "S011_001_00000001.png": None,
    }
    assert set(words(dataset, "subject").values()) == {"S010", "S011"}
    assert [a.kind for a in dataset.attributes] == ["label", "subject"]
    assert "7 images are frames of 3 sequences of 2 people" in dataset.notes[0]
    assert "by subject" in dataset.notes[0]
    assert reasons(dataset) == [("S011_001_00000001.png", "no_class_folder")]
    assert dataset.skipped == ()
