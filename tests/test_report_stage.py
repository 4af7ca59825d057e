"""The last stage of a run: what makes the page again, and what never costs the audit again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import Run, run_audit
from fer_audit.pipeline.run import Until
from fer_audit.report.files.pictures import read_pictures
from fer_audit.report.page import report
from tests.drawings import draw_faces


class Told:
    """A progress that remembers which stages really worked."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        self.stages.append(stage)

    def advance(self, stage: str, amount: int = 1) -> None: ...

    def finish(self, stage: str) -> None: ...

    def say(self, message: str) -> None: ...


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
            config=AuditConfig.of(
                model=str(self.model.path),
                k=2,
                starts=2,
                sweep_max=3,
                permutations=40,
                bootstraps=20,
            ),
            resources=Resources(cache_dir=self.cache, pack=pack),  # type: ignore[arg-type]  # on or off
            until=until,
            report=ReportSettings(**options),  # type: ignore[arg-type]  # options by name
            progress=self.told,
        )


@pytest.fixture
def runs(tmp_path: Path, tiny_model: ExportedModel, run_dir: Path, cache_dir: Path) -> Runs:
    """Give runs of 80 faces: enough for a cluster with a mean face."""
    return Runs(draw_faces(tmp_path / "faces", 80), tiny_model, run_dir, cache_dir)


def test_an_audit_makes_no_page_and_a_run_after_it_makes_nothing_else(runs: Runs) -> None:
    runs.run("audit")
    assert not (runs.out / "report.html").exists()
    result = (runs.out / "result.json").read_bytes()

    done = runs.run()

    assert not done.reused
    assert runs.told.stages == ["pictures"]
    assert (runs.out / "report.html").exists()
    assert (runs.out / "result.json").read_bytes() == result
    assert runs.run().reused


def test_other_thumbnails_are_another_page_of_the_same_audit(runs: Runs) -> None:
    runs.run()
    plain = (runs.out / "report.html").read_bytes()

    runs.run(thumbnails=3, blur_faces=True)

    assert runs.told.stages == ["pictures"]
    pictures = read_pictures(runs.out / "pictures.json")
    assert pictures is not None
    assert {sheet.n for sheet in pictures.sheets} == {3}
    assert all(sheet.blurred for sheet in pictures.sheets)
    assert (runs.out / "report.html").read_bytes() != plain


def test_a_changed_page_is_made_again_and_the_audit_is_not(runs: Runs) -> None:
    runs.run()
    before = (runs.out / "report.html").read_bytes()
    (runs.out / "report.html").write_text("<p>somebody else's</p>")

    runs.run()

    assert runs.told.stages == ["pictures"]
    pages = [
        page.split(b"Timings of the run")[0]
        for page in (before, (runs.out / "report.html").read_bytes())
    ]
    assert len(pages[0]) > 50_000
    # The nonce is a hash of the whole page, timings included.
    assert pages[0].split(b"<style>")[1] == pages[1].split(b"<style>")[1]


def test_a_run_that_ends_while_it_draws_keeps_its_audit(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(report, "report_page", stop)
        with pytest.raises(KeyboardInterrupt):
            runs.run()

    runs.run()

    assert runs.told.stages == ["pictures"]


def test_pixels_that_were_not_kept_can_be_asked_for_later(runs: Runs) -> None:
    """The page says: run again with --pack on. Doing so must change it."""
    runs.run(pack="off")
    without = read_pictures(runs.out / "pictures.json")
    assert without is not None
    assert dict(without.missing)["mean faces"].endswith("run again with --pack on")

    runs.run(pack="on")

    assert "audit" not in runs.told.stages
    after = read_pictures(runs.out / "pictures.json")
    assert after is not None
    assert "mean faces" not in dict(after.missing)
    assert after.faces


def test_no_thumbnails_are_shown_unless_asked_for(runs: Runs) -> None:
    runs.run()

    pictures = read_pictures(runs.out / "pictures.json")

    assert pictures is not None
    assert pictures.sheets == ()
