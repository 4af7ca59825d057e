"""One run over every image row of the fault table: each file ends in its one row, with the word for what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from fer_audit.report.files.document import read_result
from tests.drawings import draw_face
from tests.faults import odd_pictures
from tests.faults.conftest import QUICK, Finished, clean_environment, command
from tests.faults.odd_pictures import Odd
from tests.graphs import black_is_nan_graph, save
from tests.pack.files import plain_png

FACES = 24


@dataclass(frozen=True)
class Audited:
    """The run and what it left behind."""

    done: Finished
    out: Path
    rows: dict[str, dict[str, Any]]
    """File name -> its row."""
    vectors: NDArray[np.float32]
    gs_ran: Path


def nonfinite() -> dict[str, Odd]:
    """Return a picture for which the model has no number."""
    return {"nan.png": odd_pictures.failed(plain_png(40, 40, b"\0\0\0"), "nonfinite_embedding")}


FAMILIES: tuple[Callable[[], dict[str, Odd]], ...] = (
    odd_pictures.damaged_files,
    odd_pictures.strangers,
    odd_pictures.bombs,
    nonfinite,
)


@pytest.fixture(scope="module")
def odd() -> dict[str, Odd]:
    """Give every odd file by its name."""
    return {name: each for family in FAMILIES for name, each in family().items()}


@pytest.fixture(scope="module")
def audited(odd: dict[str, Odd], tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Audit them beside some faces, with a Ghostscript first in PATH that leaves a mark when it runs."""
    home = tmp_path_factory.mktemp("images")
    for folder in ("set/face", "set/odd", "bin", "here"):
        (home / folder).mkdir(parents=True)
    for number in range(FACES):
        draw_face(number).save(home / "set" / "face" / f"{number:02d}.jpg")
    for name, each in odd.items():
        (home / "set" / "odd" / name).write_bytes(each.data)
    gs_ran = home / "gs-ran"
    for name in ("gs", "gsc", "gswin64c", "djpeg", "convert"):
        trap = home / "bin" / name
        trap.write_text(f"#!/bin/sh\necho {name} >> {gs_ran}\n")
        trap.chmod(0o755)
    model = save(black_is_nan_graph(), home / "model.onnx")
    done = subprocess.run(
        [
            *command("run", home / "set", "--out", home / "run", "--cache-dir", home / "cache"),
            *("--model", str(model.path), *QUICK),
        ],
        cwd=home / "here",
        env=clean_environment(PATH=f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert (home / "run" / "rows.parquet").exists(), done.stderr
    table = parquet.read_table(home / "run" / "rows.parquet").to_pylist()
    return Audited(
        done,
        home / "run",
        {row["id"].split("/")[1]: row for row in table},
        np.load(home / "run" / "embeddings.npy"),
        gs_ran,
    )


def wrong(row: dict[str, Any], wanted: Odd) -> bool:
    """Whether a row is none of those a file may end in."""
    if not row["ok"]:
        return row["reason"] not in wanted.reasons
    if wanted.reasons and not wanted.either:
        return True
    return not wanted.either and (row["flags"] or "") != wanted.flags


@pytest.mark.parametrize("family", FAMILIES)
def test_every_odd_file_ends_in_its_one_row_with_its_word(
    family: Callable[[], dict[str, Odd]], audited: Audited
) -> None:
    wanted = family()

    rows = {name: audited.rows[name] for name in wanted}

    found = {name: (row["ok"], row["reason"], row["flags"]) for name, row in rows.items()}
    assert {n: found[n] for n in wanted if wrong(rows[n], wanted[n])} == {}


def test_faces_beside_them_are_fine_and_the_exit_code_tells_of_the_others(
    audited: Audited, odd: dict[str, Odd]
) -> None:
    facts = read_result(audited.out / "result.json").dataset

    faces = [row["ok"] for name, row in audited.rows.items() if name not in odd]
    assert faces == [True] * FACES
    assert facts.listed == len(audited.rows) == FACES + len(odd)
    assert facts.failed == sum(not row["ok"] for row in audited.rows.values())
    assert audited.done.returncode == 4
    assert f"{facts.failed} of {facts.listed} images failed" in audited.done.stderr


def test_no_other_program_ever_runs(audited: Audited) -> None:
    """The trap itself works: what stands in PATH as gs is the script."""
    assert not audited.gs_ran.exists()

    trap = audited.out.parent / "bin" / "gs"
    subprocess.run([trap], check=True)

    assert audited.gs_ran.read_text() == "gs\n"


def test_stderr_tells_of_progress_and_nothing_of_what_decoders_say(audited: Audited) -> None:
    others = ("fer-audit: ", "Run directory: ", "pixels kept")
    stage = re.compile(r"\d of \d, \w+|decode|stability|style|(no )?replay")
    told = [
        line
        for line in audited.done.stderr.splitlines()
        if not line.startswith(others) and not stage.match(line)
    ]

    assert told == []


def test_no_number_that_is_none_leaves_the_model(audited: Audited) -> None:
    assert np.isfinite(audited.vectors).all()
    assert not audited.vectors[list(audited.rows).index("nan.png")].any()
    assert audited.rows["nan.png"]["cluster"] is None


MEASURED = """
import re, sys
from pathlib import Path
from fer_audit.pack.decode import DecodeError, decode_image

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

files = [Path(name) for name in sys.stdin.read().splitlines()]
for path in [Path(sys.argv[1]), *files]:  # the first one warms up
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    try:
        decode_image(data, path.name, 224)
        word = "ok"
    except DecodeError as exc:
        word = str(exc)
    print(path.name, word, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux' /proc")
def test_refusing_a_bomb_takes_fifty_megabytes_at_most(audited: Audited, tmp_path: Path) -> None:
    """Peak resident memory of a process, set back before each file."""
    bombs = odd_pictures.bombs()
    for name, each in bombs.items():
        (tmp_path / name).write_bytes(each.data)
    face = audited.out.parent / "set" / "face" / "00.jpg"

    done = subprocess.run(
        [sys.executable, "-c", MEASURED, face],
        input="\n".join(str(tmp_path / name) for name in bombs),
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 1 + len(bombs)
    assert [line for line in lines if int(line[2]) > 50_000] == []
    assert done.stderr == ""


STARVED = """
import resource, sys
from pathlib import Path
from fer_audit.pack.decode import DecodeError, decode_image

face, *large = [Path(name).read_bytes() for name in sys.argv[1:]]
decode_image(face, "warm.jpg", 224)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2)
for data in (*large, face):
    try:
        decode_image(data, "x", 224)
        print("ok")
    except DecodeError as exc:
        print(exc)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux' /proc")
def test_an_image_there_is_no_memory_for_is_out_of_memory(
    audited: Audited, tmp_path: Path
) -> None:
    """And the next one is fine: one huge photograph costs its own row."""
    image = Image.new("RGB", (5_000, 5_000))
    for form, options in (("PNG", {"compress_level": 1}), ("TIFF", {}), ("BMP", {})):
        image.save(tmp_path / form, form, **options)
    face = audited.out.parent / "set" / "face" / "00.jpg"

    done = subprocess.run(
        [sys.executable, "-c", STARVED, face, *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.split() == ["out_of_memory"] * 3 + ["ok"]
