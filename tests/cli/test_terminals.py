"""Narrow, dumb and colourless terminals, and file names that attack them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.cli.conftest import Call
from tests.drawings import draw_face

HOSTILE = [
    '"><script>alert(1)<_script>.jpg',
    "=cmd('calc').jpg",
    "+1+1.jpg",
    "@SUM(A1).jpg",
    "{{7*7}}.jpg",
    "[bold red]x[_bold red].jpg",
    "\x1b[31mred\x1b[0m.jpg",
    "\x1b]0;title\x07.jpg",
    "line\nbreak.jpg",
    "tab\tand,comma;quote'\".jpg",
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "\U0001f600.jpg",
    "\u202egpj.exe.jpg",
    "bad\udcff\udcfe.jpg",
    "-rf.jpg",
    "$(touch pwned).jpg",
    "%s%n{0}.jpg",
    " .jpg",
]


@pytest.fixture
def hostile_faces(tmp_path: Path) -> Path:
    """Give class folders whose files have the names that TRUST.md lists, one folder named so itself."""
    root = tmp_path / "faces"
    for i, name in enumerate(HOSTILE):
        folder = root / ("happy" if i % 2 else "sad\x1b[5m[red]")
        folder.mkdir(parents=True, exist_ok=True)
        draw_face(i).save(folder / name, "JPEG")
    (root / "happy" / "broken\x1b[31m\n.jpg").write_bytes(b"")
    return root


def test_hostile_names_are_all_processed_and_reach_no_terminal(
    fer_audit: Call, hostile_faces: Path, quick: list[str], run_dir: Path
) -> None:
    done = fer_audit("run", hostile_faces, *quick, "--csv", "--max-errors", "1")

    assert done.code == 0, done.err
    for text in (done.out, done.err):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
    table = parquet.read_table(run_dir / "rows.parquet")
    assert table.num_rows == len(HOSTILE) + 1
    assert sum(table["ok"].to_pylist()) == len(HOSTILE)
    ids = set(table["id"].to_pylist())
    assert sum(name.endswith("caf\u00e9.jpg") for name in ids) == 1
    assert sum(name.endswith("cafe\u0301.jpg") for name in ids) == 1
    json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    assert not list(Path.cwd().glob("pwned*"))
    with (run_dir / "rows.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+@\t\r\n")]


@pytest.mark.parametrize(
    "environment",
    [{"COLUMNS": "20"}, {"COLUMNS": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"TERM": ""}],
    ids=str,
)
def test_odd_terminals_get_the_report_without_escapes(
    fer_audit: Call,
    kept_run: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    done = fer_audit("report", kept_run)

    assert done.code == 0
    assert done.out.strip()
    assert "\x1b" not in done.out + done.err
