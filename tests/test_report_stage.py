"""The last stage of a run: what makes the page again, and what never costs the audit again."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pytest

from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import Run, run_audit
from fer_audit.pipeline.run import Until
from fer_audit.progress import Silent
from fer_audit.report import report
from fer_audit.report.files.pictures import Pictures, read_pictures
from fer_audit.text import counted
from tests.drawings import draw_faces

QUICK = AuditConfig.of(k=2, starts=2, sweep_max=3, permutations=40, bootstraps=20, replay=0)


class Told(Silent):
    """A progress that remembers which stages really worked."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        self.stages.append(stage)


class Runs:
    """Runs of one set into one folder."""

    def __init__(self, faces: Path, model: ExportedModel, out: Path, cache: Path) -> None:
        self.faces, self.model, self.out, self.cache = faces, model, out, cache
        self.told = Told()

    def run(self, until: Until = "report", pack: str = "on", **options: object) -> Run:
        self.told = Told()
        return run_audit(
            self.faces,
            self.out,
            config=QUICK.having(model=str(self.model.path)),
            resources=Resources(cache_dir=self.cache, pack=pack),  # type: ignore[arg-type]  # on or off
            until=until,
            report=ReportSettings(**options),  # type: ignore[arg-type]  # options by name
            progress=self.told,
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Runs:
    """Give a finished run of 80 faces, enough for a cluster with a mean face; no test touches this one."""
    folder = tmp_path_factory.mktemp("report")
    faces = draw_faces(folder / "faces", 80)
    runs = Runs(faces, tiny_model, folder / "run", folder / "cache")
    runs.run()
    return runs


@pytest.fixture
def runs(made: Runs, run_dir: Path, cache_dir: Path) -> Runs:
    """Give a copy of the finished run."""
    shutil.copytree(made.out, run_dir)
    shutil.copytree(made.cache, cache_dir, dirs_exist_ok=True)
    return Runs(made.faces, made.model, run_dir, cache_dir)


@pytest.fixture
def fresh(made: Runs, run_dir: Path, cache_dir: Path) -> Runs:
    """Give the same set and model before any run."""
    return Runs(made.faces, made.model, run_dir, cache_dir)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a few words in place of the page, which takes seconds to draw."""
    monkeypatch.setattr(report, "report_page", lambda *_: "<p>a page</p>")


def pictures_of(runs: Runs) -> Pictures:
    pictures = read_pictures(runs.out / "pictures.json")
    assert pictures is not None
    return pictures


@pytest.mark.usefixtures("undrawn")
def test_an_audit_makes_no_page_and_a_run_after_it_makes_nothing_else(fresh: Runs) -> None:
    fresh.run("audit")
    assert not (fresh.out / "report.html").exists()
    result = (fresh.out / "result.json").read_bytes()

    done = fresh.run()

    assert not done.reused
    assert fresh.told.stages == ["pictures"]
    assert (fresh.out / "report.html").exists()
    assert (fresh.out / "result.json").read_bytes() == result
    assert fresh.run().reused


def test_other_thumbnails_are_another_page_of_the_same_audit(runs: Runs) -> None:
    assert pictures_of(runs).sheets == (), "none are shown unless asked for"
    plain = (runs.out / "report.html").read_bytes()

    runs.run(thumbnails=3, blur_faces=True)

    assert runs.told.stages == ["pictures"]
    sheets = pictures_of(runs).sheets
    assert {sheet.n for sheet in sheets} == {3}
    assert all(sheet.blurred for sheet in sheets)
    assert (runs.out / "report.html").read_bytes() != plain


def test_a_changed_page_is_made_again_and_the_audit_is_not(runs: Runs) -> None:
    before = (runs.out / "report.html").read_bytes()
    (runs.out / "report.html").write_text("<p>another page</p>")

    runs.run()

    assert runs.told.stages == [], "the pictures are as they were"
    pages = [
        re.sub(rb"<span>[\d.]+ m?s</span>", b"", page.split(b'class="right">seconds</th>')[0])
        for page in (before, (runs.out / "report.html").read_bytes())
    ]
    assert len(pages[0]) > 50_000
    # How long it took stands in two places, and the nonce is a hash of the whole page.
    assert pages[0].split(b"<style>")[1] == pages[1].split(b"<style>")[1]


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_ends_while_it_draws_keeps_its_audit(
    fresh: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(report, "report_page", stop)
        with pytest.raises(KeyboardInterrupt):
            fresh.run()

    fresh.run()

    assert fresh.told.stages == ["pictures"]


@pytest.mark.usefixtures("undrawn")
def test_pixels_that_were_not_kept_can_be_asked_for_later(fresh: Runs) -> None:
    """The page says: run again with --pack on. Doing so must change it."""
    fresh.run(pack="off")
    assert dict(pictures_of(fresh).missing)["mean faces"].endswith("run again with --pack on")

    fresh.run(pack="on")

    assert "audit" not in fresh.told.stages
    assert "mean faces" not in dict(pictures_of(fresh).missing)
    assert pictures_of(fresh).faces


def test_a_run_shows_itself_in_a_notebook_without_a_script(runs: Runs) -> None:
    run = runs.run()
    assert run.result is not None

    shown = run._repr_html_()

    assert run.result.dataset.name in shown
    assert html.escape(run.result.findings[0].text) in shown
    assert "<script" not in shown
    assert repr(run) == f"Run({str(run.folder)!r}, {counted(len(run.dataset), 'image')})"


def test_a_notebook_shows_what_min_cell_hides_as_hidden_also_when_nothing_is_made_again(
    runs: Runs,
) -> None:
    runs.run(min_cell=5)

    again = runs.run(min_cell=5)

    assert again.shared is None
    assert "fewer than 5 people" in again._repr_html_()
