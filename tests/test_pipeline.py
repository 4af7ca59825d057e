"""The whole walk: nothing done twice, nothing lost, nothing touched. tests/faults/test_kill.py kills it."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_audit.config import AuditConfig, Resources
from fer_audit.embed.session import EmbedSession
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ConfigError
from fer_audit.pack.decode import decode_image
from fer_audit.pipeline import Run, run_audit
from fer_audit.pipeline.run import Until
from fer_audit.report.files.document import read_result
from fer_audit.synth import demo_dataset
from tests.drawings import draw_face, draw_faces
from tests.known import known
from tests.pack.files import rewrite_in_place

ARTEFACTS = ("embeddings.npy", "result.json", "rows.parquet")


@dataclass
class Walks:
    """Runs of one model with one cache, small enough for half a second each."""

    model: ExportedModel
    cache: Path
    said: list[str] = field(default_factory=list)

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None: ...

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        self.said.append(f"{stage}: {total} {unit}, {done} done")

    def advance(self, stage: str, amount: int = 1) -> None: ...

    def finish(self, stage: str) -> None: ...

    def say(self, message: str) -> None:
        self.said.append(message)

    def run(
        self,
        source: Path,
        out: Path,
        *,
        pack: str = "auto",
        verify: bool = False,
        until: Until = "audit",
        **changes: Any,  # noqa: ANN401 - settings by name
    ) -> Run:
        self.said.clear()
        plain = AuditConfig.of(
            model=str(self.model.path), k=3, starts=2, sweep_max=3, permutations=40, bootstraps=20
        )
        return run_audit(
            source,
            out,
            config=plain.having(**changes),
            resources=Resources(
                cache_dir=self.cache,
                pack=pack,  # type: ignore[arg-type]  # on, off or auto
                verify=verify,
            ),
            until=until,
            progress=self,
        )


@pytest.fixture
def walks(tiny_model: ExportedModel, cache_dir: Path) -> Walks:
    """Give runs that share a model and a cache."""
    return Walks(tiny_model, cache_dir)


@dataclass
class Work:
    """What was really done: files decoded, batches embedded."""

    decoded: list[str]
    sessions: int = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, decoded: list[str]) -> Work:
    """Give a count of the expensive things; decoder and session are the real ones."""
    done = Work(decoded)
    open_session = EmbedSession.__init__

    def counting_open(self: EmbedSession, *args: Any, **options: Any) -> None:  # noqa: ANN401 - passed on
        done.sessions += 1
        open_session(self, *args, **options)

    monkeypatch.setattr(EmbedSession, "__init__", counting_open)
    return done


def artefacts(run_dir: Path) -> dict[str, bytes]:
    return {name: (run_dir / name).read_bytes() for name in ARTEFACTS}


def document(run_dir: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    return found


def test_a_finished_run_is_returned_at_once(
    walks: Walks, faces: Path, run_dir: Path, work: Work
) -> None:
    first = walks.run(faces, run_dir)
    assert (first.reused, work.sessions, len(work.decoded)) == (False, 1, 24)

    second = walks.run(faces, run_dir)

    assert second.reused
    assert (work.sessions, len(work.decoded)) == (1, 24)
    assert second.result == first.result


def test_another_run_directory_with_the_same_inputs_is_made_from_the_cache(
    walks: Walks, faces: Path, tmp_path: Path, work: Work
) -> None:
    walks.run(faces, tmp_path / "one")
    second = walks.run(faces, tmp_path / "two")

    assert (second.reused, work.sessions, len(work.decoded)) == (False, 1, 24)
    assert artefacts(tmp_path / "one") == artefacts(tmp_path / "two")


@pytest.mark.parametrize(
    "change",
    [{"k": 4}, {"seed": 5}, {"alpha": 0.01}, {"permutations": 30}, {"sweep_max": 2}],
    ids=str,
)
def test_what_changes_no_vector_embeds_nothing(
    walks: Walks, faces: Path, run_dir: Path, work: Work, change: dict[str, Any]
) -> None:
    walks.run(faces, run_dir)
    before = artefacts(run_dir)

    again = walks.run(faces, run_dir, **change)

    assert not again.reused
    assert (work.sessions, len(work.decoded)) == (1, 24)
    assert any("holds a run with other inputs" in line for line in walks.said)
    assert artefacts(run_dir)["embeddings.npy"] == before["embeddings.npy"]


def test_another_batch_size_embeds_again_and_decodes_nothing(
    walks: Walks, faces: Path, run_dir: Path, work: Work
) -> None:
    walks.run(faces, run_dir)
    walks.run(faces, run_dir, batch_size=5)

    assert (work.sessions, len(work.decoded)) == (2, 24)


def test_a_map_is_audited_and_nothing_is_embedded_again(
    walks: Walks, faces: Path, run_dir: Path, work: Work
) -> None:
    plain = walks.run(faces, run_dir)
    mapped = walks.run(faces, run_dir, map=(("race", "race4"),))

    assert (work.sessions, len(work.decoded), mapped.reused) == (1, 24, False)
    before, now = (
        [x.attribute for x in known(each.result).representation] for each in (plain, mapped)
    )
    assert now == [*before, "race4"]
    both = (("race", "race4"), ("race", "race5"))
    walks.run(faces, run_dir, map=both)
    assert read_result(run_dir / "result.json").config.dataset.map == both
    assert walks.run(faces, run_dir).result == plain.result


def write_table(folder: Path, labels: str) -> Path:
    path = folder / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "race"])
        for i, image in enumerate(sorted(folder.glob("*.jpg"))):
            writer.writerow([image.name, labels[i % len(labels)]])
    return path


def test_another_rule_is_checked_on_the_finished_numbers(
    walks: Walks, faces: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read, computed or drawn again: result.json says what a whole run with that rule says."""
    rules = ("race.v_corrected>=0",)
    fresh = walks.run(faces, run_dir.with_name("fresh"), until="report", fail_on=rules).result
    walks.run(faces, run_dir, until="report")
    for stage in ("_vectors", "_clusters", "_audit"):
        monkeypatch.delattr(f"fer_audit.pipeline.run.{stage}")

    run = walks.run(faces, run_dir, until="report", fail_on=rules)

    assert run.result is not None
    assert run.result.gate
    assert run.result == fresh == read_result(run_dir / "result.json")
    assert rules[0] in (run_dir / "report.html").read_text(encoding="utf-8").replace("&gt;", ">")
    again = walks.run(faces, run_dir, until="report", fail_on=rules)
    assert again.reused


def test_a_damaged_part_is_computed_again(
    walks: Walks, faces: Path, run_dir: Path, cache_dir: Path
) -> None:
    first = walks.run(faces, run_dir)
    for part in (cache_dir / "audit").rglob("associations.json"):
        part.write_text(part.read_text(encoding="utf-8").replace("race", "rice"), encoding="utf-8")

    again = walks.run(faces, run_dir.with_name("again"))

    assert again.result == first.result
    assert any("associations is computed again" in said for said in walks.said)


def test_a_changed_label_embeds_nothing_and_changes_the_result(
    walks: Walks, faces: Path, run_dir: Path, work: Work
) -> None:
    walks.run(write_table(faces, "ab"), run_dir, group=(("race", "race"),))
    before = artefacts(run_dir)

    walks.run(write_table(faces, "abb"), run_dir, group=(("race", "race"),))

    assert (work.sessions, len(work.decoded)) == (1, 24)
    after = artefacts(run_dir)
    assert after["result.json"] != before["result.json"]
    assert after["embeddings.npy"] == before["embeddings.npy"]


def test_a_changed_file_is_embedded_again(
    walks: Walks, faces: Path, run_dir: Path, work: Work
) -> None:
    walks.run(faces, run_dir)
    target = min(faces.iterdir())
    draw_face(99).save(target, "JPEG")

    walks.run(faces, run_dir)

    assert work.sessions == 2
    vectors = np.load(run_dir / "embeddings.npy", allow_pickle=False)
    pixels = decode_image(target.read_bytes(), target.name, 32).pixels
    assert np.allclose(vectors[0], pixels.mean(axis=(0, 1)), rtol=1e-4)


def test_a_file_changed_behind_its_time_is_found_by_verify_only(
    walks: Walks, faces: Path, run_dir: Path
) -> None:
    walks.run(faces, run_dir)
    before = artefacts(run_dir)
    target = min(faces.iterdir())
    data = target.read_bytes()
    rewrite_in_place(target, data[:-3] + b"\x55" + data[-2:])

    assert walks.run(faces, run_dir).reused
    verified = walks.run(faces, run_dir, verify=True)

    assert not verified.reused
    assert any("1 image is not as it was" in line for line in walks.said)
    assert artefacts(run_dir) != before


def test_without_kept_pixels_the_result_is_the_same(
    walks: Walks, faces: Path, tmp_path: Path, cache_dir: Path
) -> None:
    walks.run(faces, tmp_path / "on", pack="on")
    assert list(cache_dir.rglob("pixels-*"))
    walks.cache = tmp_path / "cache2"

    walks.run(faces, tmp_path / "off", pack="off")

    assert not list((tmp_path / "cache2").rglob("pixels-*"))
    assert artefacts(tmp_path / "on") == artefacts(tmp_path / "off")


@pytest.mark.parametrize("name", [*ARTEFACTS, "DONE.json"])
def test_a_damaged_or_missing_artefact_is_made_again(
    walks: Walks, faces: Path, run_dir: Path, work: Work, name: str
) -> None:
    walks.run(faces, run_dir)
    before = artefacts(run_dir)
    path = run_dir / name
    path.unlink()
    path.write_bytes(b"something else")

    again = walks.run(faces, run_dir)
    assert not again.reused
    assert artefacts(run_dir) == before
    path.unlink()
    assert not walks.run(faces, run_dir).reused

    assert artefacts(run_dir) == before
    assert (work.sessions, len(work.decoded)) == (1, 24)


def test_what_a_user_writes_into_embeddings_npy_never_becomes_another_runs_vectors(
    walks: Walks, faces: Path, run_dir: Path, tmp_path: Path
) -> None:
    """The file can be a second name of the cache's own: then the checksum must notice."""
    walks.run(faces, run_dir)
    before = artefacts(run_dir)
    vectors = np.load(run_dir / "embeddings.npy", mmap_mode="r+", allow_pickle=False)
    vectors[0] = 7
    vectors.flush()

    walks.run(faces, tmp_path / "other")

    assert artefacts(tmp_path / "other") == before
    assert any("vectors.vectors.npy is damaged" in line for line in walks.said)


def test_a_group_whose_images_all_failed_does_not_stop_the_audit(
    walks: Walks, faces: Path, run_dir: Path
) -> None:
    """An empty group and an empty cell in one table have two reasons for the same field."""
    (faces / "30_1_2_20190116174525125.jpg.chip.jpg").write_bytes(b"")

    run = walks.run(faces, run_dir, k=4)

    assert known(run.result).dataset.failed == 1


@pytest.fixture
def snapshot(faces: Path) -> Iterator[Path]:
    """Give the faces, and assert afterwards that nothing about them changed."""

    def look() -> dict[str, tuple[int, int, int, int]]:
        everything = [faces, *sorted(faces.rglob("*"))]
        return {
            str(path): (facts.st_mtime_ns, facts.st_size, facts.st_ino, facts.st_mode)
            for path in everything
            for facts in [path.lstat()]
        }

    before = look()
    yield faces
    assert look() == before


def test_the_input_is_never_written_to_and_nothing_lies_outside_run_and_cache(
    walks: Walks, snapshot: Path, run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I5, with home, temporary folder and working folder of this test's own."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")

    walks.run(snapshot, run_dir)

    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "cwd"):
        assert list((tmp_path / name).rglob("*")) == []
    assert {path.name for path in tmp_path.iterdir()} >= {"run", "cache", "faces"}


def test_too_few_images_for_k_clusters_are_a_sentence_in_the_result_and_no_error(
    walks: Walks, tmp_path: Path, run_dir: Path
) -> None:
    faces = draw_faces(tmp_path / "three", 3)

    run = walks.run(faces, run_dir, k=4)

    assert known(run.result).clustering is None
    assert "3 usable images cannot make 4 clusters" in json.dumps(document(run_dir))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "No/Such_Zone"])
def test_the_clock_and_its_zone_change_no_artefact(
    walks: Walks, faces: Path, tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks.run(faces, tmp_path / "here")
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setattr("time.time", lambda: 1.0)
    walks.cache = tmp_path / "cache2"

    walks.run(faces, tmp_path / "there")

    assert artefacts(tmp_path / "here") == artefacts(tmp_path / "there")


def test_an_interrupt_leaves_what_was_finished_and_no_done_mark(
    walks: Walks, faces: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the second shard: the first is kept, and nothing looks finished."""
    for module in ("build", "types", "faces"):
        monkeypatch.setattr(f"fer_audit.pack.{module}.SHARD_ROWS", 8)

    seen: list[int] = []

    def interrupt(stage: str, amount: int = 1) -> None:
        seen.append(amount)
        if stage == "embed" and sum(seen) > 8:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(walks, "advance", interrupt)
    with pytest.raises(KeyboardInterrupt):
        walks.run(faces, run_dir)
    monkeypatch.delattr(walks, "advance")
    signal.signal(signal.SIGINT, before)
    assert not (run_dir / "DONE.json").exists()
    assert len(list(walks.cache.rglob("vectors-00000.json"))) == 1

    walks.run(faces, run_dir)

    assert "embed: 24 images, 8 done" in walks.said
    assert (run_dir / "DONE.json").exists()


def test_a_misspelt_name_leaves_a_finished_run_as_it_was(
    faces: Path, tiny_model: ExportedModel, run_dir: Path, cache_dir: Path
) -> None:
    """Names are refused before any work, and before the old result is touched."""
    config = AuditConfig.of(
        model=str(tiny_model.path), permutations=99, bootstraps=20, sweep_max=3
    )
    resources = Resources(cache_dir=cache_dir)
    run_audit(faces, run_dir, config=config, resources=resources)
    before = (run_dir / "result.json").read_bytes()

    for wrong in ({"given": (("rase",),)}, {"fail_on": ("rase.v>1",)}):
        with pytest.raises(ConfigError, match="rase"):
            run_audit(faces, run_dir, config=config.having(**wrong), resources=resources)

    assert (run_dir / "result.json").read_bytes() == before
    assert run_audit(faces, run_dir, config=config, resources=resources).reused


def test_what_was_planted_and_missed_is_a_finding(
    tiny_model: ExportedModel, run_dir: Path, cache_dir: Path
) -> None:
    """The mean colour of a face knows the backdrop and not the hair: gender is planted and must be missed."""
    config = AuditConfig.of(
        model=str(tiny_model.path), permutations=99, bootstraps=20, sweep_max=5, replay=5
    )

    run = run_audit(
        demo_dataset(cache_dir, n=120),
        run_dir,
        config=config,
        resources=Resources(cache_dir=cache_dir),
        until="audit",
    )

    assert run.result is not None
    assert not all(check.agrees for check in run.result.planted)
    assert "planted_missed" in {finding.code for finding in run.result.findings}
