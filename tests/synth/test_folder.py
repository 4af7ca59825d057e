"""The demo set on disk: drawn once, whole or drawn again."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest

from fer_audit.dataset.load import load_dataset
from fer_audit.errors import StoreError
from fer_audit.synth import demo_dataset, write_demo
from fer_audit.synth.folder import is_whole

N = 40


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def demo(cache_dir: Path) -> Path:
    """Give a small demo set in the cache."""
    return demo_dataset(cache_dir, n=N)


def test_the_same_number_of_faces_gives_the_same_bytes_and_fingerprint(tmp_path: Path) -> None:
    """Drawn again, the set keeps its place in the cache of vectors."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        write_demo(folder, 12)

    assert contents(one) == contents(two)
    assert load_dataset(one).fingerprint == load_dataset(two).fingerprint


def test_it_lies_in_the_cache_with_its_version_in_its_name(demo: Path, cache_dir: Path) -> None:
    assert demo == cache_dir / "demo" / "drawn-faces-40-v2"
    assert is_whole(demo, N)
    assert len({path.read_bytes() for path in (demo / "faces").glob("*.jpg")}) == N, "all differ"


def test_it_is_read_as_a_table_with_all_its_columns(demo: Path) -> None:
    dataset = load_dataset(demo)

    assert len(dataset) == N
    kinds = {attribute.name: attribute.kind for attribute in dataset.attributes}
    assert kinds == {
        "group": "demographic",
        "gender": "demographic",
        "age_bin": "demographic",
        "expression": "label",
        "emotion": "label",
        "session": "batch",
        "subject": "subject",
    }
    assert not dataset.rejects
    assert dataset.ages is not None
    assert all((attribute.codes >= 0).all() for attribute in dataset.attributes)


def test_the_truth_agrees_with_the_labels(demo: Path) -> None:
    truth = json.loads((demo / "truth.json").read_text())
    with (demo / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert truth["drawn"] is True
    assert "not people" in truth["about"]
    assert truth["n"] == len(rows) == N
    for name, digest in truth["sha256"].items():
        assert hashlib.sha256((demo / name).read_bytes()).hexdigest() == digest, name
    assert list(truth["sha256"]) == [*(row["file"] for row in rows), "labels.csv", "dataset.json"]


def test_a_whole_set_is_used_again(demo: Path, cache_dir: Path) -> None:
    inodes = {path: path.stat().st_ino for path in demo.rglob("*")}

    demo_dataset(cache_dir, n=N)

    assert {path: path.stat().st_ino for path in demo.rglob("*")} == inodes


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("faces/07.jpg", "changed"),
        ("labels.csv", "cut"),
        ("labels.csv", "gone"),
        ("truth.json", "cut"),
    ],
)
def test_a_damaged_set_is_drawn_again(demo: Path, cache_dir: Path, name: str, damage: str) -> None:
    whole = contents(demo)
    path = demo / name
    if damage == "gone":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:50] if damage == "cut" else data.replace(b"4", b"5"))

    assert not is_whole(demo, N)
    demo_dataset(cache_dir, n=N)

    assert contents(demo) == whole


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"sha256": 3}', "\x00"])
def test_a_truth_that_makes_no_sense_is_no_truth(demo: Path, text: str) -> None:
    (demo / "truth.json").write_text(text)

    assert not is_whole(demo, N)


def test_a_killed_writer_leaves_nothing_that_is_taken_for_the_set(cache_dir: Path) -> None:
    staging = cache_dir / "demo" / ".tmp-drawn-faces-12-v2"
    (staging / "faces").mkdir(parents=True)
    (staging / "faces" / "99.jpg").write_bytes(b"half")

    folder = demo_dataset(cache_dir, n=12)

    assert not staging.exists()
    assert "faces/99.jpg" not in contents(folder)


def test_something_in_the_way_is_an_error_with_a_hint(cache_dir: Path) -> None:
    (cache_dir / "demo").mkdir(parents=True)
    (cache_dir / "demo" / "drawn-faces-12-v2").write_text("a file")

    with pytest.raises(StoreError, match="demo set") as caught:
        demo_dataset(cache_dir, n=12)
    assert "--cache-dir" in caught.value.hint
