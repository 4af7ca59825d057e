"""purge: what shows or identifies faces goes, the numbers stay, and nothing else is touched."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from fer_audit.cli.purge import PURGE_SCHEMA
from fer_audit.config import AuditConfig, PackMode, ReportSettings, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import run_audit
from fer_audit.pipeline.purge import REASON
from fer_audit.pipeline.run import Until
from fer_audit.pipeline.run_folder import min_cell_of_page
from fer_audit.progress import Silent
from fer_audit.report.files.pictures import read_pictures
from fer_audit.store.locks import LOCK, folder_lock
from tests.cli.conftest import Call, Outcome
from tests.drawings import draw_faces

FACES = 130
QUICK = AuditConfig.of(starts=2, sweep_max=3, replay=0, permutations=50, bootstraps=20)
STAGES = ("pack", "embed", "cluster")
REMADE = ("result.json", "rows.parquet", "embeddings.npy", "pictures.json")
"""What a run writes byte for byte the same; the page and the timings hold seconds."""


@dataclass(frozen=True)
class Place:
    """A finished run with thumbnails, its cache, and what made it."""

    run: Path
    cache: Path
    faces: Path
    model: Path

    def audit(
        self,
        run: Path,
        *,
        k: int = 2,
        until: Until = "report",
        pack: PackMode = "auto",
        progress: Silent | None = None,
    ) -> None:
        """Make a run in this cache."""
        run_audit(
            self.faces,
            run,
            config=QUICK.having(model=str(self.model), k=k),
            resources=Resources(cache_dir=self.cache, pack=pack),
            report=ReportSettings(thumbnails=2),
            until=until,
            progress=progress,
        )

    def stage(self, name: str) -> Path:
        """Return the folder of a stage that has one."""
        (folder,) = (self.cache / name).iterdir()
        return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Place:
    """Make the run once; no test touches this one."""
    folder = tmp_path_factory.mktemp("purge")
    place = Place(
        folder / "run", folder / "cache", draw_faces(folder / "faces", FACES), tiny_model.path
    )
    place.audit(place.run)
    return place


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """Give a copy of the run and its cache, with the two names of the vectors."""
    place = Place(tmp_path / "run", tmp_path / "cache", made.faces, made.model)
    shutil.copytree(made.run, place.run)
    shutil.copytree(made.cache, place.cache)
    (place.run / "embeddings.npy").unlink()
    os.link(place.stage("embed") / "vectors.vectors.npy", place.run / "embeddings.npy")
    return place


@pytest.fixture
def pageless(place: Place) -> Place:
    """Give the same without its page, which takes seconds to draw again."""
    (place.run / "report.html").unlink()
    return place


@pytest.fixture
def purge(fer_audit: Call) -> Call:
    """Give the command on a place's run, or another one, and its cache."""

    def call(place: Place, *more: str, run: Path | None = None) -> Outcome:
        return fer_audit("purge", run or place.run, "--cache-dir", place.cache, *more)

    return call


def files(*folders: Path) -> dict[Path, bytes]:
    """Return every file but the locks, with its bytes."""
    return {
        path: path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


def disk_bytes(*folders: Path) -> int:
    """Return the bytes of all files, those of two names once."""
    facts = {(path.stat().st_ino, path.stat().st_size) for path in files(*folders)}
    return sum(size for _, size in facts)


def test_pixels_vectors_and_faces_go_and_the_numbers_stay(purge: Call, place: Place) -> None:
    before, size = files(place.run, place.cache), disk_bytes(place.run, place.cache)

    done = purge(place, "--json")

    document = json.loads(done.out)
    assert (done.code, document["schema"]) == (0, PURGE_SCHEMA)
    assert not any(files(place.cache / stage) for stage in STAGES)
    assert not (place.run / "embeddings.npy").exists()
    pictures = read_pictures(place.run / "pictures.json")
    assert pictures is not None
    assert pictures.map is not None
    assert (pictures.faces, pictures.sheets) == ((), ())
    page = (place.run / "report.html").read_text()
    assert "data:image/webp" in before[place.run / "report.html"].decode()
    assert "data:image/webp" not in page
    assert f"No mean faces: {REASON}." in page
    assert f"No contact sheets: {REASON}." in page
    for name in ("result.json", "rows.parquet", "timings.json", "STARTED.json", "DONE.json"):
        assert (place.run / name).read_bytes() == before[place.run / name]
    assert document["size_bytes"] == size - disk_bytes(place.run, place.cache)
    assert document["size_bytes"] == sum(each["size_bytes"] for each in document["removed"])
    assert set(document["kept"]) == {
        path.relative_to(place.run).as_posix() for path in files(place.run)
    }
    assert (document["not_found"], document["other_names"]) == ([], 0)


def test_a_purged_run_can_be_shown_compared_and_written_as_a_card(
    fer_audit: Call, purge: Call, pageless: Place, made: Place
) -> None:
    purge(pageless)

    shown = fer_audit("report", pageless.run, "--html")
    compared = fer_audit("compare", made.run, pageless.run)
    card = fer_audit("card", pageless.run)

    assert [each.code for each in (shown, compared, card)] == [0, 0, 0]
    assert shown.out == fer_audit("report", made.run).out.replace(str(made.run), str(pageless.run))
    assert REASON in (pageless.run / "report.html").read_text()


def test_the_same_run_makes_everything_again_to_the_byte(purge: Call, pageless: Place) -> None:
    before = files(pageless.run, *(pageless.cache / stage for stage in STAGES))
    purge(pageless)

    pageless.audit(pageless.run)

    after = files(pageless.run, *(pageless.cache / stage for stage in STAGES))
    assert after.keys() == {*before, pageless.run / "report.html"}
    same = [path for path in after if path.parent != pageless.run or path.name in REMADE]
    assert len(same) > 20
    assert [path for path in same if after[path] != before[path]] == []
    assert REASON not in (pageless.run / "report.html").read_text()


def test_a_dry_run_says_the_same_and_removes_nothing_and_a_second_purge_finds_nothing(
    fer_audit: Call, purge: Call, pageless: Place
) -> None:
    (pageless.run / "rows.csv").write_text("id\n")
    before = files(pageless.run, pageless.cache)

    tried = json.loads(purge(pageless, "--rows", "--json", "--dry-run").out)

    assert files(pageless.run, pageless.cache) == before
    done = json.loads(purge(pageless, "--rows", "--json").out)
    assert (tried.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert tried == done
    after = files(pageless.run, pageless.cache)
    assert not {"rows.parquet", "rows.csv"} & {path.name for path in after}
    assert [fer_audit(verb, pageless.run).code for verb in ("report", "card")] == [0, 3]
    assert "nothing left to remove" in purge(pageless).out
    assert files(pageless.run, pageless.cache) == after


def test_a_run_on_the_same_vectors_keeps_its_name_for_them_and_that_is_said(
    fer_audit: Call, purge: Call, pageless: Place
) -> None:
    other = pageless.run.parent / "other"
    pageless.audit(other, k=3, until="audit")
    before = files(other)

    done = purge(pageless)

    assert done.code == 0
    assert "1 other name of the vectors is left" in done.out
    assert "Other runs that share what was in the cache will have to make it again" in done.out
    assert files(other) == before
    kept = [path for path in files(pageless.cache / "cluster") if path.name == "clustering.json"]
    assert len(kept) == 1, "the other run's clusters are its own"
    assert "made again" not in fer_audit("report", other).err
    again = purge(pageless, "--json", run=other)
    assert json.loads(again.out)["not_found"] == []


def test_a_cache_that_the_run_did_not_use_is_told(
    fer_audit: Call, pageless: Place, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()

    done, none = (
        fer_audit("purge", pageless.run, "--cache-dir", tmp_path / name)
        for name in ("elsewhere", "nowhere")
    )

    assert done.code == 0
    assert done.out.count("not found: ") == 3
    assert "another --cache-dir" in done.out
    assert "1 other name of the vectors is left" in done.out, "the cache's"
    assert (none.code, none.out) == (3, "")
    assert not (tmp_path / "nowhere").exists()


class Killed(Silent):
    """A progress that ends the run as soon as an image is embedded."""

    def advance(self, stage: str, amount: int = 1) -> None:
        if stage == "embed":
            raise KeyboardInterrupt


@pytest.mark.parametrize("until", ["killed", "embed", "cluster"])
def test_an_unfinished_run_is_purged_like_a_finished_one(
    purge: Call, made: Place, tmp_path: Path, until: Until | Literal["killed"]
) -> None:
    """There is no DONE.json after `embed` and `cluster`, and no file but STARTED.json in a run killed while it decoded."""
    begun = Place(tmp_path / "begun", tmp_path / "cache", made.faces, made.model)
    other = Place(tmp_path / "other", begun.cache, draw_faces(tmp_path / "few", 40), made.model)
    other.audit(other.run, until="cluster")
    kept = files(begun.cache)
    if until == "killed":
        with pytest.raises(KeyboardInterrupt):
            begun.audit(begun.run, pack="on", progress=Killed())
        assert any("pixels" in path.name for path in files(begun.cache).keys() - kept)
        assert list(files(begun.run)) == [begun.run / "STARTED.json"]
    else:
        begun.audit(begun.run, until=until)

    done = purge(begun, "--rows", "--json")

    assert done.code == 0
    assert json.loads(done.out)["not_found"] == []
    assert list(files(begun.run)) == [begun.run / "STARTED.json"]
    assert files(begun.cache) == kept, "what the other set left, untouched"


def test_every_run_that_was_started_in_a_directory_is_purged(purge: Call, pageless: Place) -> None:
    """Else the clusters of an earlier k would stay in the cache for good."""
    pageless.audit(pageless.run, k=3, until="cluster")
    assert len(list(pageless.cache.glob("cluster/*/clustering.json"))) == 2

    purge(pageless)

    assert not any(files(pageless.cache / stage) for stage in STAGES)


def test_a_run_of_which_files_are_damaged_loses_its_faces_all_the_same(
    purge: Call, place: Place
) -> None:
    (place.run / "pictures.json").write_text("{")
    (place.run / "result.json").write_text("{")

    done = purge(place)

    assert done.code == 0
    assert not (place.run / "pictures.json").exists()
    assert not (place.run / "report.html").exists()


def test_a_folder_that_is_no_run_is_refused_and_left_alone(
    purge: Call, pageless: Place, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "embeddings.npy").write_bytes(b"somebody's own")
    (tmp_path / "link").symlink_to(pageless.run)
    before = files(pageless.run, pageless.cache, mine)

    others = (pageless.stage("pack"), pageless.cache, tmp_path / "no")
    for folder in (mine, tmp_path / "link", *others):
        done = purge(pageless, run=folder)

        assert (done.code, done.out) == (3, ""), folder
    assert files(pageless.run, pageless.cache, mine) == before


@pytest.mark.parametrize(
    "name",
    [
        *("run/embeddings.npy", "run/pictures.json", "run/report.html", f"run/{LOCK}"),
        *("cache/embed", "cache/embed/*", f"cache/embed/*/{LOCK}"),
    ],
)
def test_nothing_is_removed_through_a_link(
    purge: Call, place: Place, tmp_path: Path, name: str
) -> None:
    (linked,) = tmp_path.glob(name)
    linked.rename(tmp_path / "moved")
    linked.symlink_to(tmp_path / "moved")
    before = files(tmp_path)

    done = purge(place)

    assert done.code == 3
    assert "nothing is removed through a link" in done.err
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["../../../victim", "/victim", "ab", "A" * 64, "", 7, None])
def test_a_forged_mark_leads_nowhere(
    purge: Call, pageless: Place, tmp_path: Path, name: object
) -> None:
    """A run directory from somebody else's archive must not choose what is deleted."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.npy").write_bytes(b"precious")
    prints = json.loads((pageless.run / "DONE.json").read_text())["fingerprints"] | {"pack": name}
    (pageless.run / "DONE.json").write_text(json.dumps({"fingerprints": prints}))
    (pageless.run / "STARTED.json").write_text(json.dumps({"fingerprints": [prints]}))
    before = files(pageless.run, pageless.cache, victim)

    done = purge(pageless)

    assert (done.code, done.out) == (3, "")
    assert files(pageless.run, pageless.cache, victim) == before


@pytest.mark.parametrize("name", ["STARTED.json", "DONE.json"])
@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"fingerprints": {"pictures": "x-min-cell-1"}}', "no JSON", "[]"]
)
def test_one_of_the_two_marks_is_enough(purge: Call, place: Place, name: str, text: str) -> None:
    """A page of which nothing says what it withholds is not drawn again, but removed."""
    if name == "STARTED.json":
        (place.run / "report.html").unlink()  # it takes seconds to draw
    (place.run / name).write_text(text)

    done = purge(place)

    assert done.code == 0
    assert not any(files(place.cache / stage) for stage in STAGES)
    assert not (place.run / "report.html").exists()


@pytest.mark.parametrize("stage", ["run", *STAGES])
def test_a_folder_that_another_process_holds_stops_the_purge_before_it_begins(
    purge: Call, pageless: Place, stage: str
) -> None:
    before = files(pageless.run, pageless.cache)
    folder = pageless.run if stage == "run" else pageless.stage(stage)

    with folder_lock(folder, wait_seconds=0):
        done = purge(pageless)

    assert done.code == 5
    assert files(pageless.run, pageless.cache) == before


def test_a_page_that_is_not_the_marked_one_is_removed(purge: Call, place: Place) -> None:
    """A run that was killed between its page and its mark: nobody knows what --min-cell hid in the page."""
    page = place.run / "report.html"
    page.write_text(page.read_text() + "\n")

    purge(place)

    assert not page.exists()


def test_a_page_that_withholds_counts_withholds_them_afterwards(purge: Call, place: Place) -> None:
    """It is drawn again from a result that keeps every count; only the mark knows what was asked."""
    done_json = place.run / "DONE.json"
    document = json.loads(done_json.read_text())
    assert min_cell_of_page(document["fingerprints"]["pictures"]) == 0
    document["fingerprints"]["pictures"] += "-min-cell-9"
    done_json.write_text(json.dumps(document))
    assert "withheld" not in (place.run / "report.html").read_text()

    assert purge(place).code == 0

    page = (place.run / "report.html").read_text()
    assert "data:image/webp" not in page
    assert "withheld" in page
