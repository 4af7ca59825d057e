"""What is no plain file is listed and never opened: loops, links out of the root, pipes, sockets, devices, holes."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from fer_audit.encoders.types import ExportedModel
from fer_audit.report.files.document import read_result
from tests.drawings import draw_faces, utkface_name
from tests.faults.conftest import QUICK, Finished, clean_environment, command
from tests.faults.crowd import Crowd

TERABYTE = 1 << 40
FACES = 12


@dataclass(frozen=True)
class Audited:
    """The run, its rows by file id, and the paths it opened."""

    done: Finished
    rows: dict[str, dict[str, Any]]
    notes: str
    complete: bool
    opened: str
    """strace's log; empty where there is no strace."""


def plant(root: Path, outside: Path) -> dict[str, str]:
    """Put everything that is no plain picture beside faces; return file id -> reason."""
    outside.mkdir()
    (outside / "secret.jpg").write_bytes((root / utkface_name(0)).read_bytes())
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "circle").symlink_to(root, target_is_directory=True)
    (root / "away.jpg").symlink_to(outside / "secret.jpg")
    (root / "away").symlink_to(outside, target_is_directory=True)
    (root / "inside.jpg").symlink_to(utkface_name(1))
    (root / "dangling.jpg").symlink_to(outside / "never-there.jpg")
    os.mkfifo(root / "pipe.jpg")
    os.mkfifo(root / "pipe.csv")
    os.mkfifo(root / "dataset.json")
    wanted = dict.fromkeys(("loop", "away", "inside", "dangling", "pipe"), "missing")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "socket.jpg"))  # such an address is short
    wanted["socket"] = "missing"
    if os.geteuid() == 0:
        os.mknod(root / "zero.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        wanted["zero"] = "missing"
    for folder in ("one", "two"):  # of one name and size: nobody may compare them byte by byte
        (root / folder).mkdir()
        with (root / folder / "hole.jpg").open("wb") as file:
            file.truncate(TERABYTE)
        wanted[f"{folder}/hole"] = "too_large"
    (root / "locked").mkdir()
    shutil.copy(root / utkface_name(2), root / "locked" / "face.jpg")
    return {f"{name}.jpg": reason for name, reason in wanted.items()}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Give the set and the reasons of its rows; the folder `locked` opens again at the end."""
    root = draw_faces(tmp_path_factory.mktemp("special") / "set", FACES)
    planted = plant(root, root.parent / "outside")
    (root / "locked").chmod(0)
    yield root, planted
    (root / "locked").chmod(0o700)


@pytest.fixture(scope="module")
def audited(wanted: tuple[Path, dict[str, str]], tiny_model: ExportedModel) -> Audited:
    """Audit it without root's right to read everything, and note what is opened."""
    root = wanted[0]
    home = root.parent
    log = home / "opened"
    before: list[str | Path] = []
    if shutil.which("strace"):
        calls = "trace=open,openat,openat2,creat,connect"
        before += ["strace", "-f", "-qq", "-s", "4096", "-e", calls, "-o", log]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        before += ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = subprocess.run(
        [
            *before,
            *command("run", root, "--out", home / "run", "--cache-dir", home / "cache"),
            *("--model", str(tiny_model.path), *QUICK),
        ],
        cwd=home,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (home / "run" / "rows.parquet").exists(), done.stderr
    table = parquet.read_table(home / "run" / "rows.parquet").to_pylist()
    result = read_result(home / "run" / "result.json")
    return Audited(
        done,
        {row["id"]: row for row in table},
        "\n".join(result.dataset.notes),
        result.complete,
        log.read_text(errors="replace") if log.exists() else "",
    )


def test_each_has_a_row_with_its_reason_and_the_faces_are_fine(
    audited: Audited, wanted: tuple[Path, dict[str, str]]
) -> None:
    reasons = {name: row["reason"] for name, row in audited.rows.items() if not row["ok"]}

    assert reasons == wanted[1]
    assert len(audited.rows) == FACES + len(wanted[1])
    assert audited.done.returncode == 4


def test_nothing_behind_a_link_is_listed(audited: Audited) -> None:
    assert not [name for name in audited.rows if name.startswith(("circle/", "away/"))]
    assert '2 symbolic links were not followed: "away", "circle".' in audited.notes


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_none_of_them_is_ever_opened(
    audited: Audited, wanted: tuple[Path, dict[str, str]]
) -> None:
    """A too large file is looked at from its handle; not one byte of it is read, see the time the run takes."""
    names = ["secret.jpg", "never-there.jpg", "/outside", "pipe.csv", "dataset.json"]
    names += [name for name, reason in wanted[1].items() if reason == "missing"]

    opened = [line for line in audited.opened.splitlines() for name in names if f"{name}" in line]

    assert utkface_name(0) in audited.opened, "strace saw no file of the set"
    assert opened == []


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None,
    reason="setpriv is not installed, and root reads every folder",
)
def test_a_folder_that_cannot_be_read_makes_the_audit_incomplete(audited: Audited) -> None:
    """Nobody knows what is in it: I10, and an exit code that tells."""
    assert not audited.complete
    assert audited.done.returncode == 4
    assert "INCOMPLETE" in audited.done.stdout
    assert '1 folder could not be read: "locked".' in audited.notes


@pytest.mark.core
def test_a_table_that_is_none_is_refused_at_once(
    tmp_path: Path, tiny_model: ExportedModel, crowd: Crowd
) -> None:
    """A pipe would keep the reader waiting for ever, a hole would fill the memory."""
    draw_faces(tmp_path / "set", 2)
    os.mkfifo(tmp_path / "set" / "pipe.csv")
    (tmp_path / "set" / "link.csv").symlink_to("/dev/zero")
    for name in ("hole.csv", "hole.parquet"):
        with (tmp_path / "set" / name).open("wb") as file:
            file.truncate(TERABYTE)
    places = ("--model", tiny_model.path, "--out", tmp_path / "run", "--cache-dir", tmp_path / "c")
    names = ("pipe.csv", "link.csv", "hole.csv", "hole.parquet")

    said = [crowd.run("embed", tmp_path / "set" / name, *places) for name in names]

    assert [each.code for each in said] == [3] * len(names), [each.text for each in said]
