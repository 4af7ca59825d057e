"""fer-audit compare, from two run directories to the terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from fer_audit.cli.compare import distinct_names
from fer_audit.errors import StoreError
from fer_audit.pipeline.finished import read_run
from fer_audit.report.files.document import result_json
from fer_audit.report.files.rows import rows_table, write_rows_parquet
from fer_audit.store.stage import file_sha256
from tests.audit.compared import GENDERS, QUICK
from tests.audit.inputs import (
    attribute,
    audit_dataset,
    clustering_of,
    dataset_of,
    embeddings_of,
    failed,
    rows_of,
)
from tests.cli.conftest import Call

N = 120


def write_run(folder: Path, *, seed: int = 0) -> Path:
    """Write a run directory as fer-audit run does: vectors, rows, the result, and the mark of a finished run."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    age = attribute("age", np.arange(N) % 2 - (np.arange(N) == 7), ("0-2", "3-9"))
    gender = attribute("gender", np.arange(N) % 3 // 2, GENDERS)
    dataset = dataset_of(gender, age)
    rows = failed(rows_of(N), {3: "truncated"})
    embeddings = embeddings_of(rows)
    labels = np.where(rows.ok, rng.integers(0, 3, N), -1)
    clustering = clustering_of(labels, k=3)
    result = audit_dataset(dataset, rows, embeddings, clustering, config=QUICK)
    np.save(folder / "embeddings.npy", rng.random((N, 4), dtype=np.float32) * rows.ok[:, None])
    table = rows_table(dataset, rows, embeddings, clustering)
    write_rows_parquet(folder / "rows.parquet", table)
    (folder / "result.json").write_text(result_json(result), encoding="utf-8")
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    names = ("embeddings.npy", "rows.parquet", "result.json")
    files = {name: file_sha256(folder / name) for name in names if (folder / name).exists()}
    (folder / "DONE.json").write_text(json.dumps({"fingerprints": {}, "files": files}))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("runs")
    return write_run(place / "a"), write_run(place / "b", seed=1)


def test_two_runs_are_shown_side_by_side(fer_audit: Call, runs: tuple[Path, Path]) -> None:
    done = fer_audit("compare", runs[0], runs[1])

    text = " ".join(done.out.split())
    assert (done.code, done.err) == (0, "")
    assert "clusters are different partitions" in text
    assert "Same images, same labels: the shares of gender and age are equal." in text


def test_json_is_the_comparison_with_or_without_a_page(
    fer_audit: Call, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    done = fer_audit("compare", runs[0], runs[0], "--json")
    with_page = fer_audit("compare", *runs, "--json", "--page", tmp_path / "compare.html")

    document = json.loads(done.out)
    assert done.code == 0
    assert json.loads(with_page.out)["schema"] == "fer-audit/comparison/2"
    assert (tmp_path / "compare.html").exists()
    assert document["agreement"]["ari"] == 1
    assert document["findings"][0]["code"] == "nothing_changed"


def test_a_run_that_is_none_is_exit_3(
    fer_audit: Call, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    done = fer_audit("compare", runs[0], tmp_path / "nowhere")

    assert done.code == 3
    assert "is no finished run" in done.err


def test_rows_come_back_as_they_were_written(runs: tuple[Path, Path]) -> None:
    run = read_run(runs[0])

    gender, age = run.rows.labels
    assert run.rows.ids[:2] == ("00000.jpg", "00001.jpg")
    assert run.rows.clusters[3] == -1
    assert not run.rows.ok[3]
    assert gender.codes.tolist() == (np.arange(N) % 3 // 2).tolist()
    # The column is called age_group: age is the age in years.
    assert (age.name, age.codes[7]) == ("age", 0)
    assert run.vectors is not None
    assert run.vectors.shape == (N, 4)


def edit(folder: Path, before: str, after: str) -> None:
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace(before, after))


def change_rows(folder: Path, change: Callable[[Any], Any]) -> None:
    pq.write_table(change(pq.read_table(folder / "rows.parquet")), folder / "rows.parquet")
    seal(folder)


def incomplete(folder: Path) -> None:
    edit(folder, '"complete": true', '"complete": false')
    seal(folder)


def no_parquet(folder: Path) -> None:
    (folder / "rows.parquet").write_bytes(b"PAR1 and nothing else")
    seal(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "DONE.json").unlink(), "no finished run: DONE.json is missing"),
        (lambda run: (run / "rows.parquet").unlink(), "has no rows.parquet"),
        (lambda run: edit(run, '"k": 3', '"k": 4'), "is not the file that the run wrote"),
        (incomplete, "is incomplete"),
        (
            lambda run: change_rows(run, lambda table: table.slice(1)),
            "has 119 rows, the result lists 120 images",
        ),
        (
            lambda run: change_rows(run, lambda table: table.drop_columns(["cluster"])),
            "has no column cluster",
        ),
        (no_parquet, "cannot be read"),
        (
            lambda run: np.save(run / "embeddings.npy", np.zeros((3, 4), np.float32)),
            "does not hold one vector for each of 120 images",
        ),
    ],
)
def test_a_damaged_run_is_a_clear_error(
    runs: tuple[Path, Path], tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs[0], folder)
    damage(folder)

    with pytest.raises(StoreError, match=message):
        read_run(folder)


def test_vectors_may_be_missing(runs: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs[0], folder)
    (folder / "embeddings.npy").unlink()

    assert read_run(folder).vectors is None


def test_a_page_is_written_beside_the_view(
    fer_audit: Call, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "compare.html"

    done = fer_audit("compare", runs[0], runs[1], "--page", page)

    assert done.code == 0
    assert "What changed?" in done.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert str(runs[0].parent) not in page.read_text(encoding="utf-8")
    assert done.err.splitlines() == [f"Page written to {page}"]


def test_a_place_that_cannot_be_written_is_a_clear_error(
    fer_audit: Call, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / "below"

    done = fer_audit("compare", runs[0], runs[1], "--html", place)

    assert done.code == 3
    assert f"Cannot write {place}" in done.err


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("/home/ann/one", "/home/ann/two", ("one", "two")),
        ("/home/ann/one/run", "/mnt/two/run", ("one/run", "two/run")),
        ("/home/ann/run", "/home/ann/run", ("run", "run")),
        ("/home/ann/run/../one", "/home/ann/two/", ("one", "two")),
    ],
)
def test_two_runs_get_the_shortest_names_that_differ(
    first: str, second: str, names: tuple[str, str]
) -> None:
    assert distinct_names(Path(first), Path(second)) == names
