"""The list of images that parts share: written with a run, checked, made again, and purged on request."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import Attribute, FaceDataset, SoftLabels
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError
from fer_audit.pipeline import Run, run_audit
from fer_audit.pipeline.purge import purge_run
from fer_audit.report.files.document import read_result, result_document
from tests.drawings import draw_faces
from tests.report.test_reference import RESULT, errors

N = 24
LIST = "lists/split_leaks.csv"
Audit = Callable[[FaceDataset], Run]


@pytest.fixture
def parted(tmp_path: Path) -> FaceDataset:
    """Give drawn faces in two parts: the first and last images are the same, and person "=0" is in both."""
    folder = draw_faces(tmp_path / "faces", N)
    first, *_, last = sorted(folder.iterdir())
    last.write_bytes(first.read_bytes())
    dataset = load_dataset(folder, AuditConfig())
    rows = np.arange(len(dataset))
    part = (rows >= N // 2).astype(np.int16)
    person = np.where(rows % 5 == 0, 0, 1 + part).astype(np.int16)
    votes = np.stack([rows, N - rows], axis=1).astype(np.float32)
    return replace(
        dataset,
        attributes=(
            *dataset.attributes,
            Attribute("split", ("train", "test"), part, "split"),
            Attribute("person", ("=0", "b", "c"), person, "subject"),
        ),
        soft=(SoftLabels("emotion", ("happy", "sad"), votes),),
    )


@pytest.fixture
def run(tiny_model: ExportedModel, tmp_path: Path) -> Audit:
    """Give the call that audits a set into tmp_path/run."""
    config = AuditConfig.of(
        model=str(tiny_model.path), k=2, starts=1, sweep_max=2, permutations=9, bootstraps=9,
        replay=0,
    )  # fmt: skip

    def call(dataset: FaceDataset) -> Run:
        return run_audit(
            dataset,
            tmp_path / "run",
            config=config,
            resources=Resources(cache_dir=tmp_path / "cache"),
            until="audit",
            csv=True,
        )

    return call


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_shared_image_is_in_the_list_and_the_list_is_part_of_the_run(
    run: Audit, parted: FaceDataset, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(parted)

    lines = read(out / LIST)
    photos = [each for each in lines if each["kind"] == "identical"]
    people = [each for each in lines if each["kind"] == "subject"]
    near = [
        each for each in lines if each["kind"] == "near-identical"
    ]  # drawn heads are much alike
    assert len(lines) == len(photos) + len(near) + len(people)
    assert [(each["id"], each["split"]) for each in photos] == [
        (parted.ids[0], "train"),
        (parted.ids[-1], "test"),
    ]
    assert [each["id"] for each in people] == list(parted.ids[::5])
    assert {(each["group"], each["attribute"]) for each in people} == {("'=0", "split")}
    result = read_result(out / "result.json")
    assert [each.images for each in result.split_leaks] == [len(photos), len(near), len(people)]
    assert errors(result_document(result), RESULT) == []
    assert LIST in json.loads((out / "DONE.json").read_text())["files"]
    assert "emotion_votes" not in (out / "rows.csv").read_text().splitlines()[0]


def test_a_list_that_is_gone_or_changed_is_made_again_byte_by_byte(
    run: Audit, parted: FaceDataset, tmp_path: Path
) -> None:
    run(parted)
    path = tmp_path / "run" / LIST
    before = path.read_bytes()
    assert run(parted).reused

    for spoil in (path.unlink, lambda: path.write_text("kind\n")):
        spoil()
        left = path.parent / ".tmp-left"
        left.write_text("of a killed run")
        assert not run(parted).reused
        assert path.read_bytes() == before
        assert not left.exists()


def test_a_set_that_has_no_parts_any_more_has_no_list(
    run: Audit, parted: FaceDataset, tmp_path: Path
) -> None:
    run(parted)

    run(replace(parted, attributes=parted.attributes[:-2], fingerprint="0" * 64))

    assert not (tmp_path / "run" / LIST).exists()
    assert LIST not in json.loads((tmp_path / "run" / "DONE.json").read_text())["files"]


def test_a_purge_keeps_the_list_with_the_table_of_all_files_and_removes_it_with_that(
    run: Audit, parted: FaceDataset, tmp_path: Path
) -> None:
    out, cache = tmp_path / "run", tmp_path / "cache"
    run(parted)

    assert LIST in purge_run(out, cache).kept
    gone = purge_run(out, cache, rows=True)

    assert (LIST, "run") in [(each.path, each.place) for each in gone.removed]
    assert not (out / LIST).exists()


def test_nothing_is_removed_through_a_link(
    run: Audit, parted: FaceDataset, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(parted)
    (out / "lists").rename(tmp_path / "elsewhere")
    (out / "lists").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match="is a link"):
        purge_run(out, tmp_path / "cache", rows=True)

    assert (tmp_path / "elsewhere" / "split_leaks.csv").exists()
