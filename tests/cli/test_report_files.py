"""report --html, --png, --svg: what a finished run is written into, again and as often as wanted."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Call


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
