"""purge: what shows or identifies faces goes, the numbers stay, and nothing else is touched."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fer_audit.cli.purge import PURGE_SCHEMA
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import run_audit
from fer_audit.pipeline.finish import least_on_page
from fer_audit.pipeline.purge import REASON
from fer_audit.pipeline.run import Until
from fer_audit.report.files.pictures import read_pictures
from fer_audit.store.locks import LOCK, folder_lock
from tests.cli.conftest import Call
from tests.drawings import draw_faces

FACES = 130
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

    def audit(self, run: Path, *, k: int = 2, until: Until = "report") -> None:
        """Make a run in this cache."""
        run_audit(
            self.faces,
            run,
            config=AuditConfig.of(
                model=str(self.model),
                k=k,
                starts=2,
                sweep_max=3,
                replay=0,
                permutations=50,
                bootstraps=20,
            ),
            resources=Resources(cache_dir=self.cache),
            report=ReportSettings(thumbnails=2),
            until=until,
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


def test_pixels_vectors_and_faces_go_and_the_numbers_stay(fer_audit: Call, place: Place) -> None:
    before, size = files(place.run, place.cache), disk_bytes(place.run, place.cache)

    done = fer_audit("purge", place.run, "--cache-dir", place.cache, "--json")

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
    for name in ("result.json", "rows.parquet", "timings.json", "DONE.json"):
        assert (place.run / name).read_bytes() == before[place.run / name]
    assert document["size_bytes"] == size - disk_bytes(place.run, place.cache)
    assert document["size_bytes"] == sum(each["size_bytes"] for each in document["removed"])
    assert document["kept"] == [path.name for path in map(Path, document["kept"])]
    assert set(document["kept"]) == {path.name for path in files(place.run)}


def test_a_purged_run_can_be_shown_compared_and_written_as_a_card(
    fer_audit: Call, pageless: Place, made: Place
) -> None:
    fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    shown = fer_audit("report", pageless.run)
    again = fer_audit("report", pageless.run, "--html")
    compared = fer_audit("compare", made.run, pageless.run)
    card = fer_audit("export-card", pageless.run)

    assert [each.code for each in (shown, again, compared, card)] == [0, 0, 0, 0]
    assert shown.out == fer_audit("report", made.run).out
    assert REASON in (pageless.run / "report.html").read_text()


def test_a_second_purge_finds_nothing_and_changes_nothing(
    fer_audit: Call, pageless: Place
) -> None:
    fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)
    before = files(pageless.run, pageless.cache)

    again = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    assert again.code == 0
    assert "nothing left to remove" in again.out
    assert files(pageless.run, pageless.cache) == before


def test_the_same_run_makes_everything_again_to_the_byte(fer_audit: Call, pageless: Place) -> None:
    before = files(pageless.run, *(pageless.cache / stage for stage in STAGES))
    fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    pageless.audit(pageless.run)

    after = files(pageless.run, *(pageless.cache / stage for stage in STAGES))
    assert after.keys() == {*before, pageless.run / "report.html"}
    same = [path for path in after if path.parent != pageless.run or path.name in REMADE]
    assert len(same) > 20
    assert [path for path in same if after[path] != before[path]] == []
    assert REASON not in (pageless.run / "report.html").read_text()


def test_a_dry_run_says_the_same_and_removes_nothing(fer_audit: Call, pageless: Place) -> None:
    before = files(pageless.run, pageless.cache)
    words = ("purge", pageless.run, "--cache-dir", pageless.cache, "--rows", "--json")

    tried = json.loads(fer_audit(*words, "--dry-run").out)

    assert files(pageless.run, pageless.cache) == before
    done = json.loads(fer_audit(*words).out)
    assert (tried.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert tried == done


def test_the_table_of_all_files_goes_when_it_is_asked_for(
    fer_audit: Call, pageless: Place
) -> None:
    (pageless.run / "rows.csv").write_text("id\n")

    done = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache, "--rows")

    assert done.code == 0
    assert not (pageless.run / "rows.parquet").exists()
    assert not (pageless.run / "rows.csv").exists()
    assert fer_audit("report", pageless.run).code == 0
    assert fer_audit("export-card", pageless.run).code == 3


def test_a_run_on_the_same_vectors_keeps_its_name_for_them_and_that_is_said(
    fer_audit: Call, pageless: Place
) -> None:
    other = pageless.run.parent / "other"
    pageless.audit(other, k=3, until="audit")
    before = files(other)

    done = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    assert done.code == 0
    assert "1 other name of the vectors is left" in done.out
    assert "Other runs that share what was in the cache will have to make it again" in done.out
    assert files(other) == before
    kept = [path for path in files(pageless.cache / "cluster") if path.name == "clustering.json"]
    assert len(kept) == 1, "the other run's clusters are its own"
    assert "made again" not in fer_audit("report", other).err
    assert (
        json.loads(fer_audit("purge", other, "--cache-dir", pageless.cache, "--json").out)[
            "not_found"
        ]
        == []
    )


def test_a_cache_that_the_run_did_not_use_is_told(
    fer_audit: Call, pageless: Place, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()

    done = fer_audit("purge", pageless.run, "--cache-dir", tmp_path / "elsewhere")
    none = fer_audit("purge", pageless.run, "--cache-dir", tmp_path / "nowhere")

    assert done.code == 0
    assert done.out.count("not found: ") == 3
    assert "another --cache-dir" in done.out
    assert "1 other name of the vectors is left" in done.out, "the cache's"
    assert (none.code, none.out) == (3, "")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("until", ["embed", "cluster"])
def test_an_unfinished_run_is_known_by_what_it_holds(
    fer_audit: Call, pageless: Place, tmp_path: Path, until: Until
) -> None:
    """There is no DONE.json after `embed` and `cluster`, nor in a run that was killed."""
    others = Place(
        tmp_path / "r2", pageless.cache, draw_faces(tmp_path / "few", 40), pageless.model
    )
    others.audit(others.run, until="cluster")
    kept = files(*(folder for stage in STAGES for folder in _newest(pageless.cache / stage)))
    fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)
    pageless.audit(tmp_path / "begun", until=until)

    done = fer_audit("purge", tmp_path / "begun", "--cache-dir", pageless.cache)

    assert done.code == 0
    assert "This run is not finished" in done.out
    assert list(files(tmp_path / "begun")) == [tmp_path / "begun" / "rows.parquet"]
    assert files(*(pageless.cache / stage for stage in STAGES)) == kept, (
        "the other set's, untouched"
    )


def _newest(pageless: Path) -> list[Path]:
    return [max(pageless.iterdir(), key=lambda folder: folder.stat().st_ctime_ns)]


def test_a_run_of_which_files_are_damaged_loses_its_faces_all_the_same(
    fer_audit: Call, place: Place
) -> None:
    (place.run / "pictures.json").write_text("{")
    (place.run / "result.json").write_text("{")

    done = fer_audit("purge", place.run, "--cache-dir", place.cache)

    assert done.code == 0
    assert not (place.run / "pictures.json").exists()
    assert not (place.run / "report.html").exists()


def test_a_folder_that_is_no_run_is_refused_and_left_alone(
    fer_audit: Call, pageless: Place, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "embeddings.npy").write_bytes(b"somebody's own")
    (tmp_path / "link").symlink_to(pageless.run)
    before = files(pageless.run, pageless.cache, mine)

    for folder in (
        mine,
        tmp_path / "link",
        pageless.stage("pack"),
        pageless.cache,
        tmp_path / "no",
    ):
        done = fer_audit("purge", folder, "--cache-dir", pageless.cache)

        assert (done.code, done.out) == (3, ""), folder
    assert files(pageless.run, pageless.cache, mine) == before


@pytest.mark.parametrize("name", ["embeddings.npy", "pictures.json", "report.html"])
def test_nothing_is_removed_through_a_link_in_a_run(
    fer_audit: Call, place: Place, tmp_path: Path, name: str
) -> None:
    (place.run / name).rename(tmp_path / name)
    (place.run / name).symlink_to(tmp_path / name)
    before = files(place.run, place.cache, tmp_path)

    done = fer_audit("purge", place.run, "--cache-dir", place.cache)

    assert done.code == 3
    assert "nothing is removed through a link" in done.err
    assert files(place.run, place.cache, tmp_path) == before


@pytest.mark.parametrize("depth", ["stage", "folder"])
def test_nothing_is_removed_through_a_link_in_the_cache(
    fer_audit: Call, pageless: Place, tmp_path: Path, depth: str
) -> None:
    linked = pageless.cache / "embed" if depth == "stage" else pageless.stage("embed")
    linked.rename(tmp_path / "moved")
    linked.symlink_to(tmp_path / "moved")
    before = files(pageless.run, pageless.cache, tmp_path / "moved")

    done = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    assert done.code == 3
    assert files(pageless.run, pageless.cache, tmp_path / "moved") == before


@pytest.mark.parametrize("name", ["../../../victim", "/victim", "ab", "A" * 64, "", 7, None])
def test_a_forged_mark_leads_nowhere(
    fer_audit: Call, pageless: Place, tmp_path: Path, name: object
) -> None:
    """A DONE.json from somebody else's archive must not choose what is deleted."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.npy").write_bytes(b"precious")
    done_json = pageless.run / "DONE.json"
    document = json.loads(done_json.read_text())
    document["fingerprints"]["pack"] = name
    done_json.write_text(json.dumps(document))

    done = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    assert done.code == 0
    assert "This run is not finished" in done.out
    assert (victim / "precious.npy").read_bytes() == b"precious"
    assert not files(pageless.cache / "embed"), "the vectors are known by their bytes"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"fingerprints": {"pictures": "x-min-cell-1"}}', "no JSON"]
)
def test_a_mark_that_is_none_is_an_unfinished_run(
    fer_audit: Call, pageless: Place, text: str
) -> None:
    (pageless.run / "DONE.json").write_text(text)

    done = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    assert done.code == 0
    assert not files(pageless.cache / "embed")


@pytest.mark.parametrize("stage", ["run", *STAGES])
def test_a_folder_that_another_process_holds_stops_the_purge_before_it_begins(
    fer_audit: Call, pageless: Place, stage: str
) -> None:
    before = files(pageless.run, pageless.cache)
    folder = pageless.run if stage == "run" else pageless.stage(stage)

    with folder_lock(folder, wait_seconds=0):
        done = fer_audit("purge", pageless.run, "--cache-dir", pageless.cache)

    assert done.code == 5
    assert files(pageless.run, pageless.cache) == before


def test_a_page_that_withholds_counts_withholds_them_afterwards(
    fer_audit: Call, place: Place
) -> None:
    """It is drawn again from a result that keeps every count; only the mark knows what was asked."""
    done_json = place.run / "DONE.json"
    document = json.loads(done_json.read_text())
    assert least_on_page(document["fingerprints"]["pictures"]) == 0
    document["fingerprints"]["pictures"] += "-min-cell-9"
    done_json.write_text(json.dumps(document))
    assert "withheld" not in (place.run / "report.html").read_text()

    assert fer_audit("purge", place.run, "--cache-dir", place.cache).code == 0

    page = (place.run / "report.html").read_text()
    assert "data:image/webp" not in page
    assert "withheld" in page
