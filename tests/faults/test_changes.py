"""Files that change, go, come or take too long while a run is at work: a row with a reason, never another picture."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_face, draw_faces
from tests.faults.crowd import SHARD_ROWS, Crowd, Ended
from tests.pack.files import plain_png
from tests.processes import wait_until

N_FACES = 8 * SHARD_ROWS
"""Eight shards: at most three of them are made ahead of the one that is embedded."""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Give a set of eight shards."""
    return draw_faces(tmp_path / "many", N_FACES, side=32)


Embed = Callable[..., list[str | Path]]


@pytest.fixture
def embed(tiny_model: ExportedModel, run_dir: Path, cache_dir: Path) -> Embed:
    """Give the words that embed a set, one file at a time."""

    def words(faces: Path, *more: str) -> list[str | Path]:
        places = ("--model", tiny_model.path, "--cache-dir", cache_dir, "--out", run_dir)
        return ["embed", faces, *places, "--workers", "1", "--max-errors", "1", *more]

    return words


def change_while_it_runs(
    crowd: Crowd, words: list[str | Path], change: Callable[[], None]
) -> Ended:
    """Stop a run when it has listed its files and decoded none of the last ones, change them, and let it go on."""
    run = crowd.start(*words)
    wait_until(lambda: "embed: " in crowd.said(run), 60)
    os.kill(run, signal.SIGSTOP)
    change()
    os.kill(run, signal.SIGCONT)
    return crowd.wait(run)


def rows(run_dir: Path) -> dict[str, str | None]:
    """Return the reason of every file, None where it is ok."""
    table = parquet.read_table(run_dir / "rows.parquet", columns=["id", "reason"])
    return dict(zip(table["id"].to_pylist(), table["reason"].to_pylist(), strict=True))


def test_a_file_that_changes_under_a_run_is_a_row_with_a_reason_and_the_run_goes_on(
    crowd: Crowd, embed: Embed, many: Path, run_dir: Path, tmp_path: Path
) -> None:
    """Everything here happens to files of the last shard, which no worker has touched yet."""
    listed = sorted(many.iterdir())
    last = listed[-SHARD_ROWS:]
    secret = tmp_path / "secret.jpg"
    draw_face(5).save(secret)

    def replace(path: Path) -> None:
        draw_face(998, side=64).save(tmp_path / "other", "JPEG")
        (tmp_path / "other").replace(path)

    def pipe(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    changes: dict[str, tuple[Callable[[Any], object], set[str]]] = {
        "unlink": (Path.unlink, {"changed_during_run"}),
        "touch": (lambda path: os.utime(path, ns=(1, 1)), {"changed_during_run"}),
        "rewrite": (lambda path: draw_face(9, side=64).save(path, "JPEG"), {"changed_during_run"}),
        "truncate": (lambda path: os.truncate(path, 100), {"changed_during_run"}),
        "replace": (replace, {"changed_during_run"}),
        "pipe": (pipe, {"not_a_file", "changed_during_run"}),
        "link": (
            lambda path: (path.unlink(), path.symlink_to(secret)),
            {"unreadable", "not_a_file", "changed_during_run"},
        ),
        "folder": (
            lambda path: (path.unlink(), path.mkdir()),
            {"not_a_file", "changed_during_run"},
        ),
    }
    targets = dict(zip(last, changes, strict=False))

    def change() -> None:
        for path, how in targets.items():
            changes[how][0](path)
        draw_face(1).save(many / "99_1_1_20170101000000001.jpg.chip.jpg")

    ended = change_while_it_runs(crowd, embed(many), change)

    assert ended.code == 0, ended.err
    found = rows(run_dir)
    assert list(found) == [path.name for path in listed], "new files belong to the next run"
    for path, how in targets.items():
        assert found[path.name] in changes[how][1], (how, found[path.name])
    good = [path.name for path in listed if path not in targets]
    assert {found[name] for name in good} == {None}
    vectors = np.load(run_dir / "embeddings.npy", allow_pickle=False)
    assert not vectors[[path in targets for path in listed]].any()
    assert vectors[[path not in targets for path in listed]].all()
    assert crowd.run(*embed(many)).code == 0
    now = {path.name for path in many.iterdir() if not path.is_dir()}
    assert set(rows(run_dir)) == now, "the next run lists what is there now"


def test_a_folder_that_vanishes_under_a_run_ends_in_rows_with_a_reason(
    crowd: Crowd, embed: Embed, many: Path, run_dir: Path
) -> None:
    names = sorted(path.name for path in many.iterdir())

    ended = change_while_it_runs(crowd, embed(many), lambda: shutil.rmtree(many))

    if ended.code == 0:  # some were read before
        found = rows(run_dir)
        assert list(found) == names
        assert set(found.values()) <= {None, "changed_during_run"}
        assert found[names[-1]] == "changed_during_run"
    else:
        assert ended.code == 3
        assert f"None of the {N_FACES} images in {many} could be used" in ended.err
        assert "changed_during_run" in ended.err
    again = crowd.run(*embed(many))
    assert again.code == 3
    assert str(many) in again.err


def test_a_file_over_its_time_is_a_row_and_can_be_had_with_more_time(
    crowd: Crowd, embed: Embed, tmp_path: Path, run_dir: Path
) -> None:
    """30 megapixels of half-transparent red: half a second of decoding. pack/test_workers.py kills and stops decoders."""
    faces = draw_faces(tmp_path / "faces", 24)
    slow = faces / "30_0_0_20170101000000000.png"
    slow.write_bytes(plain_png(5_500, 5_500, b"\xff\0\0\x80", colour=6))
    words = embed(faces, "--max-errors", "0.01")

    done = crowd.run(*words, "--file-seconds", "0.2")

    assert done.code == 4, done.err  # one of 25 is more than one in a hundred
    assert {name: reason for name, reason in rows(run_dir).items() if reason} == {
        slow.name: "timeout"
    }
    assert "1 file failed for a reason that may pass: timeout (1)" in done.err
    assert "--verify" in done.err

    again = crowd.run(*words, "--verify")

    assert again.code == 0, again.err
    assert len(rows(run_dir)) == 25
    assert set(rows(run_dir).values()) == {None}
