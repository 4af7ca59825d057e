"""Disks that are too small, that fill up, that cannot sync: said in a line, exit 3, and finished work is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fer_audit.encoders.types import ExportedModel
from fer_audit.text import size_text
from tests.faults.conftest import Program, clean_environment
from tests.faults.disks import FULL_AT, START, needed
from tests.faults.kills import draw_classes

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Give the words in front of a command that may mount disks; skip where that is not allowed."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        pytest.skip("needs unshare and mount (util-linux)")
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    words = ("unshare", "--mount", "--propagation", "private", *as_root)
    mount = ("mount", "-t", "tmpfs", "tmpfs", str(tmp_path_factory.mktemp("mount")))
    tried = subprocess.run([*words, *mount], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this machine lets nobody mount a tmpfs: {tried.stderr.strip()}")
    return words


@pytest.fixture(scope="module")
def facts(
    namespace: tuple[str, ...], tiny_model: ExportedModel, tmp_path_factory: pytest.TempPathFactory
) -> Facts:
    """Give how runs on small disks ended; `tests.faults.disks` starts them all."""
    folder = tmp_path_factory.mktemp("disks")
    faces = draw_classes(folder / "faces")
    done = subprocess.run(
        [*namespace, sys.executable, "-c", START, faces, tiny_model.path, folder],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Facts = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_refused(ended: Facts) -> None:
    """Refused in a line, before any work: nothing was decoded, nothing written."""
    assert ended["code"] == 3, ended
    assert "Traceback" not in ended["err"]
    assert "embed:" not in ended["err"]
    assert ended["out"] == ""
    assert ended["files"] == []


def test_a_disk_that_is_too_small_is_refused_with_what_is_needed_before_anything_is_decoded(
    facts: Facts,
) -> None:
    *small, last = facts["growing"]

    assert len(small) == 3
    for ended in small:
        assert_refused(ended)
        assert "Not enough room on the disk of" in ended["err"]
        assert needed(ended["err"]) > ended["size"]
        assert f"have {size_text(ended['size'])}" in ended["err"]
    assert last["code"] == 0, last


def test_a_disk_as_large_as_was_asked_for_is_large_enough(facts: Facts) -> None:
    """The words of a refusal are true: 2.4 % of rounding is all there is on top."""
    *small, last = facts["growing"]

    assert last["code"] == 0, last
    assert last["size"] <= 1.03 * needed(small[-1]["err"])


@pytest.mark.parametrize("step", FULL_AT)
def test_a_disk_that_fills_up_while_a_run_writes_is_3_and_costs_no_finished_shard(
    facts: Facts, step: str
) -> None:
    """No SIGBUS, no traceback; the driver found no half file under a final name (I3)."""
    ended = facts["filling"][step]

    assert ended["reached"]
    assert ended["code"] == 3, ended
    assert "Cannot write" in ended["err"]
    assert "No space left on device" in ended["err"]
    assert "Traceback" not in ended["err"]
    assert ended["out"] == ""
    assert ended["lost"] == []
    assert ended["left"] == []


def test_with_room_again_the_run_goes_on_from_its_shards_to_the_same_bytes(facts: Facts) -> None:
    ended = facts["filling"]["with room again"]

    assert (ended["code"], ended["straight"]) == (0, 0)
    assert ended["cache"] == ["audit/charts.json"], "all that was missing were the page's charts"
    assert len(ended["equal"]) == 4
    assert ended["left"] == []


@pytest.mark.parametrize("which", ["out", "cache"])
def test_each_disk_is_asked_for_its_own_need(facts: Facts, which: str) -> None:
    ended = facts["apart"][f"small {which}"]

    assert_refused(ended)
    folder = {"out": "run", "cache": "cache"}[which]
    assert f"/apart/{folder}: need " in ended["err"]


@pytest.mark.parametrize("which", ["out", "cache"])
def test_a_read_only_disk_is_refused_before_any_work(facts: Facts, which: str) -> None:
    ended = facts["apart"][f"read-only {which}"]

    assert_refused(ended)
    assert "is not writable" in ended["err"]


def test_a_disk_without_inodes_is_3(facts: Facts) -> None:
    """It has room for bytes and for no further file: nothing that could be asked for beforehand."""
    ended = facts["apart"]["no inodes"]

    assert ended["code"] == 3
    assert "No space left on device" in ended["err"]
    assert "Traceback" not in ended["err"]


def test_on_a_disk_of_its_own_the_run_directory_has_a_true_and_private_copy_of_the_vectors(
    facts: Facts,
) -> None:
    ended = facts["apart"]["room"]

    assert ended["code"] == 0, ended
    assert ended["same"]
    assert ended["mode"] == 0o600


def test_a_full_folder_of_temporary_files_is_not_missed(facts: Facts) -> None:
    assert facts["tmpdir"]["code"] == 0, facts["tmpdir"]
    assert [Path(name).name for name in facts["tmpdir"]["files"]] == ["filler"]


@pytest.fixture
def broken_calls() -> Any:  # noqa: ANN401 - a function of any number of words
    """Give the words in front of a command some of whose system calls fail; skip without strace."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")

    def words(**errors: str) -> tuple[str, ...]:
        traced = f"trace={','.join(errors)}"
        injected = [
            word
            for call, error in errors.items()
            for word in ("-e", f"inject={call}:error={error}")
        ]
        return ("strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", traced, *injected)

    return words


def test_a_disk_that_can_neither_sync_nor_link_is_warned_of_once_and_used(
    program: Program,
    quick: tuple[str, ...],
    faces: Path,
    cache_dir: Path,
    run_dir: Path,
    broken_calls: Any,  # noqa: ANN401 - see there
) -> None:
    """Network, FUSE and container file systems; a power cut could cost the last files, and their checksums tell."""
    before = broken_calls(fsync="EINVAL", link="EPERM", linkat="EPERM")

    done = program("embed", faces, *quick[:6], before=before)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot be asked to sync (Invalid argument)") == 1
    assert "CannotSync" not in done.stderr, "one plain line, not Python's two"
    (kept,) = cache_dir.rglob("vectors.vectors.npy")
    copy = run_dir / "embeddings.npy"
    assert not copy.samefile(kept)
    assert copy.read_bytes() == kept.read_bytes()
    assert not list(run_dir.glob(".tmp-*"))


@pytest.mark.core
def test_a_disk_whose_sync_fails_is_an_error_and_not_a_warning(
    program: Program,
    quick: tuple[str, ...],
    faces: Path,
    cache_dir: Path,
    broken_calls: Any,  # noqa: ANN401 - see there
) -> None:
    """EIO says that bytes are lost: such a file never gets its name."""
    done = program("embed", faces, *quick[:6], before=broken_calls(fsync="EIO"))

    assert done.returncode == 3
    assert "Cannot write" in done.stderr
    assert "Input/output error" in done.stderr
    assert not list(cache_dir.rglob("*.npy"))
