"""Archives, parquet files and pixels in a CSV when a run is killed, or when they change: no wrong picture under a right id."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.faults.conftest import QUICK
from tests.faults.containers import EVERY_KIND, SEVERAL_FILES, Kind, are_those_of, reasons
from tests.faults.crowd import SHARD_ROWS, Crowd
from tests.pack.files import rewrite_in_place
from tests.processes import wait_until

Words = Callable[..., list[str | Path]]


@pytest.fixture
def words(tiny_model: ExportedModel, run_dir: Path, cache_dir: Path) -> Words:
    """Give the words of a run with one decode process."""

    def of(verb: str, given: Path, *more: str | Path) -> list[str | Path]:
        places = ("--model", tiny_model.path, "--cache-dir", cache_dir, "--out", run_dir)
        return [verb, given, *places, "--workers", "1", "--max-errors", "1", *more]

    return of


def kill_when(crowd: Crowd, words: list[str | Path], holds: Callable[[], object]) -> None:
    run = crowd.start(*words)
    wait_until(lambda: bool(holds()), 60)
    os.kill(run, signal.SIGKILL)
    assert crowd.wait(run).code == -signal.SIGKILL, "it ended before it could be killed"


def change_while_it_runs(
    crowd: Crowd,
    words: list[str | Path],
    change: Callable[[], object],
    begun: Callable[[], object] = lambda: True,
) -> None:
    """Change files when a run has listed them and decoded none of the last ones; it goes on."""
    run = crowd.start(*words)
    wait_until(lambda: "embed: " in crowd.said(run) and bool(begun()), 60)
    os.kill(run, signal.SIGSTOP)
    change()
    os.kill(run, signal.SIGCONT)
    ended = crowd.wait(run)
    assert ended.code == 0, ended.err


@EVERY_KIND
def test_a_run_killed_at_several_steps_ends_in_the_bytes_of_one_that_was_not(
    kind: Kind, crowd: Crowd, words: Words, tmp_path: Path, run_dir: Path, cache_dir: Path
) -> None:
    numbers = range(3 * SHARD_ROWS)
    path = kind.write(tmp_path / f"a{kind.suffix}", numbers)
    straight, its_cache = tmp_path / "straight", tmp_path / "straight-cache"
    again = words("audit", path, *QUICK)
    steps = (
        (cache_dir, ["pack/*/files-00000.json"]),
        (cache_dir, ["embed/*/vectors-00001.json", "embed/*/vectors.json"]),
        (cache_dir, ["cluster/*/clustering.json"]),
        (run_dir, ["rows.parquet"]),
    )

    assert crowd.run(*again, "--out", straight, "--cache-dir", its_cache).code == 0
    for place, names in steps:
        kill_when(crowd, again, lambda: [*map(list, map(place.glob, names))] != [[]] * len(names))  # noqa: B023
    ended = crowd.run(*again)

    assert ended.code == 0, ended.err
    same = ("embeddings.npy", "rows.parquet", "result.json")
    assert [n for n in same if (run_dir / n).read_bytes() != (straight / n).read_bytes()] == []
    assert list(reasons(run_dir)) == kind.ids(path, numbers)
    assert all(are_those_of(run_dir, kind.vectors(numbers)))
    assert not list(tmp_path.rglob(".tmp-*"))


@SEVERAL_FILES
@pytest.mark.core
def test_images_of_a_file_that_changes_under_a_run_are_rows_with_a_reason(
    kind: Kind, crowd: Crowd, words: Words, tmp_path: Path, run_dir: Path
) -> None:
    """Each change happens to a file of the last shards, which no worker has touched yet."""
    folder = tmp_path / "set"
    folder.mkdir()
    other = kind.write(tmp_path / f"other{kind.suffix}", range(900, 904))

    def pipe(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    changes: dict[str, Callable[[Path], object]] = {
        "touch": lambda path: os.utime(path, ns=(1, 1)),
        "rewrite": lambda path: path.write_bytes(other.read_bytes()),
        "truncate": lambda path: os.truncate(path, path.stat().st_size // 2),
        "grow": lambda path: path.write_bytes(path.read_bytes() + bytes(512)),
        "replace": lambda path: kind.write(tmp_path / "new", range(904, 908)).replace(path),
        "unlink": Path.unlink,
        "pipe": pipe,
    }
    still = range(4 * SHARD_ROWS)
    ids = kind.ids(kind.write(folder / f"0-still{kind.suffix}", still), still)
    numbers, targets = [*still], {}
    for how in changes:
        few = range(len(numbers), len(numbers) + 4)
        targets[how] = kind.write(folder / f"{how}{kind.suffix}", few)
    for how in sorted(changes):
        few = range(100 + len(numbers), 104 + len(numbers))
        kind.write(targets[how], few)
        ids += kind.ids(targets[how], few)
        numbers += few

    change_while_it_runs(
        crowd,
        words("embed", folder),
        lambda: [change(targets[how]) for how, change in changes.items()],
    )

    found = reasons(run_dir)
    assert list(found) == ids
    assert {found[each] for each in ids[: len(still)]} == {None}
    for how in changes:
        own = {reason for each, reason in found.items() if each.startswith(how)}
        assert own <= {"changed_during_run", *(["not_a_file"] if how == "pipe" else [])}, how
    right = are_those_of(run_dir, kind.vectors(numbers))
    assert right == [reason is None for reason in found.values()]


@EVERY_KIND
def test_of_one_file_that_is_written_again_under_a_run_no_new_picture_has_an_old_id(
    kind: Kind, crowd: Crowd, words: Words, tmp_path: Path, run_dir: Path, cache_dir: Path
) -> None:
    before, after = range(16 * SHARD_ROWS), range(500, 500 + 16 * SHARD_ROWS)
    path = kind.write(tmp_path / f"a{kind.suffix}", before)
    again = kind.write(tmp_path / "again", after).read_bytes()

    change_while_it_runs(
        crowd,
        words("embed", path),
        lambda: path.write_bytes(again),
        lambda: list(cache_dir.glob("pack/*/files-00000.json")),
    )

    found = reasons(run_dir)
    assert list(found) == kind.ids(path, before)
    assert set(found.values()) <= {None, "changed_during_run"}
    assert {*found.values()} != {None}
    assert [*found.values()][-SHARD_ROWS:] == ["changed_during_run"] * SHARD_ROWS
    right = are_those_of(run_dir, kind.vectors(before))
    assert right == [reason is None for reason in found.values()]

    assert crowd.run(*words("embed", path)).code == 0
    assert set(reasons(run_dir).values()) == {None}
    assert list(reasons(run_dir)) == kind.ids(path, after)
    assert all(are_those_of(run_dir, kind.vectors(after)))


@SEVERAL_FILES
def test_a_run_that_goes_on_after_one_of_its_files_changed_takes_nothing_from_before(
    kind: Kind, crowd: Crowd, words: Words, tmp_path: Path, run_dir: Path, cache_dir: Path
) -> None:
    """A cache is that of one state of the whole set: the file that stayed is read again, too."""
    folder = tmp_path / "set"
    folder.mkdir()
    first, second = range(2 * SHARD_ROWS), range(100, 100 + SHARD_ROWS)
    stays = kind.write(folder / f"a{kind.suffix}", first)
    goes = kind.write(folder / f"b{kind.suffix}", range(50, 50 + SHARD_ROWS))
    kill_when(
        crowd, words("embed", folder), lambda: list(cache_dir.glob("embed/*/vectors-00000.json"))
    )
    kind.write(goes, second)

    ended = crowd.run(*words("embed", folder))

    assert ended.code == 0, ended.err
    assert "done before" not in ended.err
    assert [*reasons(run_dir)] == [*kind.ids(stays, first), *kind.ids(goes, second)]
    assert all(are_those_of(run_dir, kind.vectors([*first, *second])))
    assert len(list(cache_dir.glob("pack/*"))) == 2


@EVERY_KIND
@pytest.mark.core
def test_bytes_that_changed_behind_a_files_size_and_time_are_found_by_verify(
    kind: Kind, crowd: Crowd, words: Words, tmp_path: Path, run_dir: Path
) -> None:
    numbers = [*range(SHARD_ROWS + 4)]
    path = kind.write(tmp_path / f"a{kind.suffix}", numbers)
    assert crowd.run(*words("embed", path)).code == 0
    row, stored = SHARD_ROWS, kind.stored(SHARD_ROWS)
    other = next(n for n in range(600, 4_000) if len(kind.stored(n)) == len(stored))
    data = path.read_bytes()
    assert data.count(stored) == 1
    rewrite_in_place(path, data.replace(stored, kind.stored(other)))

    blind = crowd.run(*words("embed", path))

    assert "made again" not in blind.err
    assert all(are_those_of(run_dir, kind.vectors(numbers)))

    seen = crowd.run(*words("embed", path, "--verify"))

    assert "1 image is not as it was" in seen.err
    assert f"e.g. {kind.ids(path, numbers)[row]}" in seen.err
    numbers[row] = other
    assert all(are_those_of(run_dir, kind.vectors(numbers)))
