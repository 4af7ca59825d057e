"""What each verb does, what stands on stdout when it is done, and which files it writes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from fer_audit import __version__
from fer_audit.cli.app import COMMANDS
from fer_audit.encoders.types import ExportedModel
from tests.cli.conftest import Call

FILES = [
    *("DONE.json", "STARTED.json", "embeddings.npy", "lists", "pictures.json"),
    *("report.html", "result.json", "rows.parquet", "timings.json"),
]


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_run_leaves_a_whole_run_directory_and_shows_it_again_without_work(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    done = fer_audit("run", faces, *quick)
    before = {path: path.stat().st_mtime_ns for path in run_dir.iterdir() if path.name != ".lock"}
    as_json = fer_audit("run", faces, *quick, "--json")

    assert (done.code, as_json.code) == (0, 0)
    assert visible(run_dir) == FILES
    assert "race" in done.out
    page = f"  Page: {run_dir / 'report.html'}"
    lines = done.out.splitlines()
    assert [line for line in lines if "report.html" in line] == [page, page], "never broken"
    assert lines[-1] == page
    assert f"  More: fer-audit report {run_dir} --full" in lines
    again = fer_audit("run", faces, *quick)
    assert again.out == done.out == fer_audit("report", run_dir).out
    assert "embed" in done.err, "progress goes to stderr"
    assert np.load(run_dir / "embeddings.npy", allow_pickle=False).shape == (24, 3)
    assert as_json.out == (run_dir / "result.json").read_text(encoding="utf-8")
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert fer_audit("run", faces, *quick, "--csv").code == 0
    assert visible(run_dir) == sorted([*FILES, "rows.csv"])
    assert len((run_dir / "rows.csv").read_text().splitlines()) == 25


def test_quiet_says_nothing_but_the_result(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    done = fer_audit("audit", faces, *quick, "--quiet")

    assert (done.code, done.err) == (0, "")
    assert done.out == f"{run_dir / 'result.json'}\n"


def test_embed_and_cluster_stop_where_they_say(
    fer_audit: Call, faces: Path, places: list[str], run_dir: Path
) -> None:
    embedded = fer_audit("embed", faces, *places)
    assert (embedded.code, embedded.out) == (0, f"{run_dir / 'embeddings.npy'}\n")
    assert visible(run_dir) == ["STARTED.json", "embeddings.npy", "rows.parquet"]
    assert "cluster" not in parquet.read_schema(run_dir / "rows.parquet").names

    clustered = fer_audit("cluster", faces, *places, "--k", "3", "--starts", "2")

    assert (clustered.code, clustered.out) == (0, f"{run_dir / 'rows.parquet'}\n")
    clusters = parquet.read_table(run_dir / "rows.parquet")["cluster"].to_pylist()
    assert set(clusters) == {0, 1, 2}
    assert "24 done before" in clustered.err or "embed:" not in clustered.err


def test_a_run_directory_never_mixes_two_runs(
    fer_audit: Call, faces: Path, quick: list[str], places: list[str], run_dir: Path
) -> None:
    """After `cluster --k 2` over a finished run, its report would speak of clusters that rows.parquet does not hold."""
    assert fer_audit("run", faces, *quick, "--k", "3").code == 0

    assert fer_audit("cluster", faces, *places, "--starts", "2", "--k", "2").code == 0

    assert fer_audit("report", run_dir).code == 3


def test_models_lists_the_catalog_as_a_table_and_as_json(fer_audit: Call, tmp_path: Path) -> None:
    table = fer_audit("models", "--models-dir", tmp_path)
    records = json.loads(fer_audit("models", "--models-dir", tmp_path, "--json").out)

    assert table.code == 0
    assert {record["name"] for record in records} >= {"resnet50-keras", "resnet50-keras-paper"}
    assert all(record["licence"] and record["exported"] is None for record in records)


def test_doctor_tells_versions_providers_and_broken_models(
    fer_audit: Call, tmp_path: Path, cache_dir: Path
) -> None:
    healthy = fer_audit("doctor", "--cache-dir", cache_dir, "--models-dir", tmp_path, "--json")
    facts = json.loads(healthy.out)
    assert (healthy.code, facts["problems"]) == (0, [])
    assert "CPUExecutionProvider" in facts["facts"]["providers"]
    assert facts["facts"]["fer-audit"] == __version__

    (tmp_path / "resnet50-keras.onnx").write_bytes(b"<html>404</html>")
    sick = fer_audit("doctor", "--cache-dir", cache_dir, "--models-dir", tmp_path)

    assert sick.code == 2
    assert "PROBLEM: " in sick.out
    assert "has no sidecar" in sick.out


LISTS_HEAVY_MODULES = """
import sys
from fer_audit.cli import main
try:
    main()
finally:
    names = {name.split(".")[0] for name in sys.modules}
    heavy = {"numpy", "scipy", "sklearn", "onnx", "onnxruntime", "pyarrow", "PIL", "rich", "h5py",
             "torch", "matplotlib", "jinja2"}
    print("HEAVY", sorted(names & heavy), file=sys.stderr)
"""


def test_help_of_every_kind_imports_nothing_heavy() -> None:
    """The time itself is a benchmark; this is what it is made of."""
    for words in (["--help"], ["run", "--help"], ["--version"]):
        command = [sys.executable, "-c", LISTS_HEAVY_MODULES, *words]

        done = subprocess.run(command, capture_output=True, text=True, check=True)

        assert done.stderr == "HEAVY []\n", words


def test_the_help_lists_every_verb_with_its_line(fer_audit: Call) -> None:
    done = fer_audit("--help")

    assert done.code == 0
    for verb, (_, line) in COMMANDS.items():
        assert f"  {verb} " in done.out
        assert line.split(":")[0] in done.out
    assert "Exit codes" in done.out


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_an_example_in_its_help(fer_audit: Call, verb: str) -> None:
    done = fer_audit(verb, "--help")

    assert done.code == 0
    assert re.search(rf"Examples?:\n\s+fer-audit {verb}", done.out), done.out


def test_version_is_the_packages(fer_audit: Call) -> None:
    assert fer_audit("--version").out == f"fer-audit, version {__version__}\n"


def test_the_page_written_again_is_the_page_of_the_run(fer_audit: Call, finished: Path) -> None:
    before = (finished / "report.html").read_bytes()
    (finished / "report.html").unlink()

    done = fer_audit("report", finished, "--html", "--json")

    assert done.code == 0
    assert (finished / "report.html").read_bytes() == before
    assert "report.html" in done.err
    assert done.out == (finished / "result.json").read_text(encoding="utf-8"), "and nothing else"


def test_every_chart_becomes_a_file_of_its_own(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    done = fer_audit("report", finished, "--png", tmp_path / "p", "--svg", tmp_path / "s")

    assert done.code == 0
    pngs = {path.stem for path in (tmp_path / "p").glob("*.png")}
    assert pngs == {path.stem for path in (tmp_path / "s").glob("*.svg")}
    assert {"composition-race", "ladder-race", "map-cluster", "elbow"} <= pngs
    assert f"{len(pngs)} charts written" in done.err


def test_a_run_without_its_pictures_has_a_page_that_says_so(
    fer_audit: Call, finished: Path
) -> None:
    (finished / "pictures.json").unlink()

    done = fer_audit("report", finished, "--html")

    assert done.code == 0
    assert done.out.strip(), "the report is shown as well"
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "No map: the run directory holds no pictures" in page


def test_damaged_pictures_are_an_error_and_leave_the_page_alone(
    fer_audit: Call, finished: Path
) -> None:
    before = (finished / "report.html").read_bytes()
    (finished / "pictures.json").write_text('{"schema": "somebody else\'s"}')

    done = fer_audit("report", finished, "--html")

    assert done.code == 3
    assert "pictures.json" in done.err
    assert (finished / "report.html").read_bytes() == before


def test_a_folder_that_is_a_file_is_a_usage_error(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")

    assert fer_audit("report", finished, "--png", tmp_path / "taken").code == 2


def test_several_encoders_are_run_side_by_side(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path, tiny_model: ExportedModel
) -> None:
    other = tiny_model.path.with_name("other.onnx")
    for suffix in (".onnx", ".json"):
        shutil.copy(tiny_model.path.with_suffix(suffix), other.with_suffix(suffix))
    both = f"{tiny_model.path},{other}"
    options = ["--model", both, *quick[2:]]

    done, as_json = (
        fer_audit("run", faces, *options),
        fer_audit("run", faces, *options, "--json", "-q"),
    )

    assert (done.code, as_json.code) == (0, 0)
    assert visible(run_dir) == ["encoders.json", "other", "tiny"]
    assert visible(run_dir / "tiny") == visible(run_dir / "other") == FILES
    assert "Which claims hold under every encoder?" in done.out
    runs = [f"More: fer-audit report {run_dir / name}" for name in ("tiny", "other")]
    assert done.out.splitlines()[-3:] == [*runs, f"-> {run_dir}"]
    assert as_json.out == (run_dir / "encoders.json").read_text(encoding="utf-8")
    race = next(x for x in json.loads(as_json.out)["claims"] if x["attribute"] == "race")
    assert len(race["under"]) == race["encoders"] == 2
    assert fer_audit("run", faces, "--model", f"{both},{other}/other.onnx", *quick[2:]).code == 2


def test_remedies_are_tried_out_where_they_are_asked_for(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    done = fer_audit("run", faces, *quick, "--what-if", "race,gender", "--mitigate", "gender")
    no_label = fer_audit("run", faces, *quick, "--mitigate")

    result = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    assert done.code == 0
    assert [each["attribute"] for each in result["erasures"]] == ["race", "gender"]
    assert {each["label"] for each in result["mitigations"]} == {"gender"}
    assert "units are too few" in json.dumps(result["erasures"])
    assert no_label.code == 2
    assert "--mitigate" in no_label.err
