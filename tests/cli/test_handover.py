"""The recipes of docs/handover.md: the one that needs nothing else is run, the others at least compile."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

TEXT = (Path(__file__).parents[2] / "docs" / "handover.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (.+?)\n.*?^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
PROJECTOR = "TensorBoard's embedding projector"
ROWS = {
    "id": ["a.jpg", "b\tc.jpg", "broken.jpg", "=cmd|' /C calc'!A0"],
    "ok": [True, True, False, True],
    "reason": [None, None, "truncated", None],
    "flags": [None, None, None, None],
    "race": ["two\nlines", "Black\u2028", None, "-1+2"],
    "cluster": [0, 1, None, 1],
    "distance": [0.5, 1.25, None, 3.0],
    "sha256": ["00", "11", "22", "33"],
}


def to_projector(run: Path, out: Path) -> str:
    (out.parent / "to_projector.py").write_text(RECIPES[PROJECTOR], encoding="utf-8")
    return subprocess.run(
        [sys.executable, "to_projector.py", str(run), str(out)],
        cwd=out.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def metadata(out: Path) -> list[list[str]]:
    text = (out / "metadata.tsv").read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_python(name: str) -> None:
    assert compile(RECIPES[name], name, "exec").co_names


def test_there_is_a_recipe_for_each_of_the_three_tools() -> None:
    assert list(RECIPES) == [PROJECTOR, "Renumics Spotlight", "FiftyOne"]


def test_the_projector_gets_a_line_for_each_image_of_a_run_in_both_files(
    kept_run: Path, tmp_path: Path
) -> None:
    said = to_projector(kept_run, tmp_path / "out")

    titles, *lines = metadata(tmp_path / "out")
    vectors = np.loadtxt(tmp_path / "out" / "tensors.tsv", delimiter="\t", ndmin=2)
    assert "24 of 24" in said
    assert {"id", "race", "gender", "cluster"} <= set(titles)
    assert len(lines) == len(vectors) == 24
    np.testing.assert_allclose(vectors, np.load(kept_run / "embeddings.npy"), rtol=1e-5)
    assert (
        'tensor_path: "tensors.tsv"' in (tmp_path / "out" / "projector_config.pbtxt").read_text()
    )


def test_a_failed_image_is_left_out_and_no_cell_breaks_the_table(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    table = pa.table(ROWS)
    parquet.write_table(table, run / "rows.parquet")
    np.save(run / "embeddings.npy", np.eye(4, 3, dtype=np.float32))

    to_projector(run, tmp_path / "out")

    titles, *lines = metadata(tmp_path / "out")
    assert titles == ["id", "race", "cluster", "distance"]
    assert lines == [
        ["a.jpg", "two lines", "0", "0.5"],
        ["b c.jpg", "Black ", "1", "1.25"],
        ["'=cmd|' /C calc'!A0", "'-1+2", "1", "3"],
    ]
    assert len((tmp_path / "out" / "tensors.tsv").read_text().splitlines()) == 3
