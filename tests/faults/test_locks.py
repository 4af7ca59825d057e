"""Two runs at once, stale locks, and locks that lie or do not exist: saved work rests on them, correctness never."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer_audit.store.locks import LOCK
from fer_audit.store.stage import TEMPORARY
from tests.faults.conftest import SLOW, Kept, Program
from tests.faults.crowd import Crowd, Ended
from tests.processes import wait_until

CROWD, LYING = (20, 5) if os.environ.get("ALL") else (6, 3)
"""Runs at once where locks work, and where they do not."""

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace, which answers for flock"
)


def lying(answer: str, *, slow: int = 0) -> tuple[str, ...]:
    """Return the words that make every flock of a program give `answer`; files get their names `slow` us late."""
    late = ("-e", f"inject=rename:delay_enter={slow}") if slow else ()
    calls = "flock,rename" if slow else "flock"
    return (
        *("strace", "-f", "-q", "-o", "/dev/null", "--seccomp-bpf", "-e", f"trace={calls}"),
        *("-e", f"inject=flock:{answer}", *late),
    )


def temporaries(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{TEMPORARY}*"))


def test_many_runs_at_once_on_one_cache_end_in_the_same_bytes_and_work_once(
    kept: Kept, tmp_path: Path
) -> None:
    outs = [tmp_path / f"run-{i}" for i in range(CROWD)]

    ended = kept.crowd.run_all([kept.words(out, tmp_path / "cache") for out in outs])

    assert [each.code for each in ended] == [0] * CROWD
    assert [out.name for out in outs if kept.wrong(out)] == []
    for work in ("embed: 40 images", "cluster: "):
        assert sum(work in each.err for each in ended) == 1, work
    assert not any("again" in each.err for each in ended)
    assert temporaries(tmp_path) == []


def test_many_runs_at_once_on_one_run_directory_are_one_run_and_refusals(
    kept: Kept, run_dir: Path, cache_dir: Path
) -> None:
    ended = kept.crowd.run_all([kept.words(run_dir, cache_dir)] * CROWD)

    refused = [each for each in ended if each.code == 5]
    assert {each.code for each in ended} == {0, 5}
    for each in refused:
        assert f"Another fer-audit process is working in {run_dir}" in each.err
        assert "--out" in each.err
    assert sum("embed: " in each.err for each in ended) == 1
    assert kept.wrong(run_dir) == []
    assert kept.crowd.run(*kept.words(run_dir, cache_dir)).err == "", (
        "a whole run, so nothing is done again"
    )


@pytest.mark.core
def test_a_second_run_is_refused_at_once_and_a_killed_ones_lock_is_no_lock(
    kept: Kept, run_dir: Path, cache_dir: Path
) -> None:
    first = kept.crowd.start(*kept.words(run_dir, cache_dir))
    wait_until(lambda: "embed: " in kept.crowd.said(first), 60)
    os.kill(first, signal.SIGSTOP)

    asked = time.monotonic()
    second = kept.crowd.run(*kept.words(run_dir, cache_dir))
    waited = time.monotonic() - asked
    os.kill(first, signal.SIGKILL)
    assert kept.crowd.wait(first).code == -signal.SIGKILL
    assert (run_dir / LOCK).exists()
    assert not (run_dir / "DONE.json").exists()
    third = kept.crowd.run(*kept.words(run_dir, cache_dir))

    assert (second.code, third.code) == (5, 0)
    assert waited < 3, "it does not wait for a run that may take hours"
    assert kept.wrong(run_dir) == []
    assert temporaries(run_dir.parent) == []


def test_a_lock_file_full_of_garbage_is_only_a_file_to_lock(
    kept: Kept, run_dir: Path, cache_dir: Path
) -> None:
    run_dir.mkdir()
    (run_dir / LOCK).write_bytes(b"1\nsomewhere-else\n\x00\xff" * 100)

    kept.run(run_dir, cache_dir)


def _link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "elsewhere")


@pytest.mark.parametrize(
    ("put", "word"),
    [(Path.mkdir, "Is a directory"), (_link, "symbolic links")],
    ids=["folder", "link"],
)
@pytest.mark.parametrize("place", ["run", "stage"])
def test_what_is_no_lock_file_is_named_and_never_written_through(
    kept: Kept, run_dir: Path, cache_dir: Path, put: Callable[[Path], None], word: str, place: str
) -> None:
    if place == "run":
        run_dir.mkdir()
        where = run_dir
    else:
        assert kept.crowd.run(*kept.words(run_dir, cache_dir)).code == 0
        shutil.rmtree(run_dir)
        (where,) = (cache_dir / "pack").iterdir()
        (where / LOCK).unlink()
    put(where / LOCK)

    ended = kept.crowd.run(*kept.words(run_dir, cache_dir))

    assert ended.code == 3
    assert f"Cannot lock {where / LOCK}" in ended.err
    assert word in ended.err
    assert "remove it" in ended.err
    assert not (run_dir.parent / "elsewhere").exists()


@needs_strace
def test_a_lock_file_of_another_user_is_named(
    program: Program, kept: Kept, run_dir: Path, cache_dir: Path
) -> None:
    """Root may open everything, so the kernel is made to say what it says to others."""
    run_dir.mkdir()
    (run_dir / LOCK).touch(mode=0o600)
    denied = (
        *("strace", "-f", "-q", "-o", "/dev/null", "-P", str(run_dir / LOCK)),
        *("-e", "trace=openat", "-e", "inject=openat:error=EACCES"),
    )

    done = program(*kept.words(run_dir, cache_dir), before=denied)

    assert done.returncode == 3
    assert f"Cannot lock {run_dir / LOCK}: Permission denied" in done.stderr
    assert "plain file of yours" in done.stderr


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Give runs on a file system whose every lock is granted, to all at once, and whose renames take their time."""
    with Crowd(tmp_path_factory.mktemp("lying"), lying("retval=0", slow=5_000)) as runs:
        yield runs


def _told(ended: Ended) -> bool:
    """Whether a run that gave up said why."""
    return ended.code in (3, 5) and "fer-audit: " in ended.err


@needs_strace
def test_with_locks_that_lie_runs_on_one_cache_still_end_in_the_right_bytes(
    unlocked: Crowd, kept: Kept, tmp_path: Path
) -> None:
    """All sweep, write, join and delete in the same folders at the same time; only the pixels are there before."""
    pixels = [*kept.words(tmp_path / "before", tmp_path / "cache"), "--batch-size", "5"]
    assert kept.crowd.run(*pixels).code == 0
    outs = [tmp_path / f"run-{i}" for i in range(LYING)]
    commands = [kept.words(out, tmp_path / "cache") for out in outs]

    ended = unlocked.run_all(commands)

    assert [each.err for each in ended if each.code and not _told(each)] == []
    assert sum(each.code == 0 for each in ended) >= 1
    done = [out for out, each in zip(outs, ended, strict=True) if each.code == 0]
    assert [out.name for out in done if kept.wrong(out)] == []
    assert [each.code for each in kept.crowd.run_all(commands)] == [0] * len(outs)
    assert [out.name for out in outs if kept.wrong(out)] == []
    assert temporaries(tmp_path) == []


@needs_strace
def test_with_locks_that_lie_runs_on_one_run_directory_leave_the_right_one(
    unlocked: Crowd, kept: Kept, run_dir: Path
) -> None:
    """Each has a cache of its own, so they also place vectors of different files under the one name."""
    commands = [kept.words(run_dir, run_dir.parent / f"cache-{i}") for i in range(LYING)]

    ended = unlocked.run_all(commands)

    assert [each.err for each in ended if each.code and not _told(each)] == []
    for words in commands:
        again = kept.crowd.run(*words)
        assert again.code == 0
        assert "vectors.vectors.npy" not in again.err, "no run wrote into another's cache"
        assert kept.wrong(run_dir) == []
    assert temporaries(run_dir.parent) == []


@needs_strace
@pytest.mark.parametrize("error", ["ENOSYS", pytest.param("ENOLCK", marks=SLOW)])
def test_without_locks_a_run_goes_on_says_so_once_and_heeds_no_stale_lock_file(
    kept: Kept, run_dir: Path, tmp_path: Path, cache_dir: Path, error: str
) -> None:
    run_dir.mkdir()
    (run_dir / LOCK).write_text("1\nsome-host\n")

    with Crowd(tmp_path / "without", lying(f"error={error}")) as unlocked:
        ended = [unlocked.run(*kept.words(run_dir, cache_dir)) for _ in range(2)]

    assert [each.code for each in ended] == [0, 0]
    for each in ended:
        assert each.err.count("has no locks") == 1
        assert "Warning" not in each.err
    assert kept.wrong(run_dir) == []
