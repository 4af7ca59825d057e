"""Caches of other inputs, damaged ones, and ones that lay a trap: never believed, and only what is damaged is made again."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_audit.store.stage import file_sha256
from tests.drawings import draw_faces
from tests.faults.conftest import QUICK
from tests.faults.crowd import SHARD_ROWS, Crowd, Ended
from tests.graphs import convolution_graph, mean_colour_graph, save

N_FACES = 5 * SHARD_ROWS // 2
ARTEFACTS = ("embeddings.npy", "result.json", "rows.parquet")
KINDS = {
    "rows": "pack/*/rows-00001",
    "pixels": "pack/*/pixels-00001",
    "vectors": "embed/*/vectors",
    "clusters": "cluster/*/clustering",
}
"""A part of every kind the cache keeps."""


@dataclass(frozen=True)
class Kept:
    """A finished run, its cache, and how to run again."""

    crowd: Crowd
    faces: Path
    model: Path
    cache: Path
    right: dict[str, bytes]

    def words(self, out: Path, cache: Path, *more: str) -> list[str | Path]:
        places = ("--model", self.model, "--out", out, "--cache-dir", cache)
        return ["audit", self.faces, *places, *QUICK, *more]

    def copy(self, cache: Path) -> Path:
        """Return a copy of the cache that a test may damage."""
        shutil.copytree(self.cache, cache)
        return cache

    def run(self, out: Path, cache: Path) -> Ended:
        """Run with a damaged cache; whatever was in it, the artefacts are right."""
        ended = self.crowd.run(*self.words(out, cache))
        assert ended.code == 0, ended.err
        assert {name: (out / name).read_bytes() for name in ARTEFACTS} == self.right
        return ended


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    place = tmp_path_factory.mktemp("kept")
    faces = draw_faces(place / "faces", N_FACES, side=40)
    model = save(mean_colour_graph(), place / "tiny.onnx").path
    with Crowd(place / "crowd") as crowd:
        straight = Kept(crowd, faces, model, place / "cache", {})
        assert crowd.run(*straight.words(place / "run", place / "cache")).code == 0
        right = {name: (place / "run" / name).read_bytes() for name in ARTEFACTS}
        yield Kept(crowd, faces, model, place / "cache", right)


def part(cache: Path, kind: str) -> Path:
    """Return the path of a part, without an ending."""
    (manifest,) = cache.glob(f"{KINDS[kind]}.json")
    return manifest.with_suffix("")


def arrays(at: Path) -> list[Path]:
    return sorted(at.parent.glob(f"{at.name}.*.npy"))


def inodes(cache: Path) -> dict[str, int]:
    """Return what was written when: a file that is made again is another one."""
    names = [*cache.rglob("*.npy"), *cache.rglob("*.json")]
    return {str(path.relative_to(cache)): path.stat().st_ino for path in names}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def forget_later(cache: Path, kind: str) -> None:
    """Leave the cache of a run that was killed when it had just made a part: only then are the pixels looked at."""
    if kind == "pixels":
        shutil.rmtree(cache / "embed")


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """Return the parts that were made again, e.g. pack/rows-00001."""
    return {
        f"{name.split('/')[0]}/{Path(name).name.split('.')[0]}"
        for name in before.keys() & after.keys()
        if before[name] != after[name]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_one_flipped_bit_costs_the_part_it_is_in_and_nothing_else(
    kept: Kept, kind: str, run_dir: Path, cache_dir: Path
) -> None:
    kept.copy(cache_dir)
    forget_later(cache_dir, kind)
    damaged = part(cache_dir, kind)
    flip(arrays(damaged)[-1])
    before = inodes(cache_dir)

    ended = kept.run(run_dir, cache_dir)

    assert f"again: {arrays(damaged)[-1].name} is damaged" in ended.err
    stage = damaged.parent.parent.name
    # pixels and rows of a shard come from one decoding
    again = {"rows-00001", "pixels-00001"} if stage == "pack" else {damaged.name}
    assert changed(before, inodes(cache_dir)) == {f"{stage}/{name}" for name in again}


def test_a_shard_of_a_killed_run_with_a_flipped_bit_is_embedded_again_and_the_whole_one_is_not(
    kept: Kept, run_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    """A kill at a rename: the pixels are there, four renames give a shard its names, the ninth is in the third."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace, which kills at a chosen rename")
    deadly = (
        *("strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=rename"),
        *("-e", "inject=rename:signal=SIGKILL:when=9"),
    )
    kept.copy(cache_dir)
    shutil.rmtree(cache_dir / "embed")
    with Crowd(tmp_path / "deadly", deadly) as crowd:
        killed = crowd.run(*kept.words(run_dir, cache_dir))
    assert killed.code == -signal.SIGKILL
    shards = sorted(cache_dir.glob("embed/*/shard-*.json"))
    assert [path.stem for path in shards] == ["shard-00000", "shard-00001"]
    flip(arrays(shards[1].with_suffix(""))[-1])

    ended = kept.run(run_dir, cache_dir)

    assert "embedded again: shard-00001.vectors.npy is damaged" in ended.err
    assert f"embed: {N_FACES} images, {SHARD_ROWS} done before" in ended.err


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"[" * 100_000, b"null", b"\xff\xfe", b'{"fingerprint": 1, "sha256": 2}'],
    ids=["empty", "cut", "deep", "null", "not-utf8", "wrong-types"],
)
def test_garbage_for_every_manifest_is_a_reason_and_no_crash(
    kept: Kept, garbage: bytes, run_dir: Path, cache_dir: Path
) -> None:
    kept.copy(cache_dir)
    for manifest in cache_dir.rglob("*.json"):
        manifest.write_bytes(garbage)

    ended = kept.run(run_dir, cache_dir)

    for kind in ("rows", "vectors", "clusters"):
        name = part(cache_dir, kind).name
        assert f"again: the manifest {name}.json cannot be read" in ended.err
    assert "Error)" in ended.err


@pytest.mark.parametrize("field", ["fingerprint", "part", "facts"])
def test_a_manifest_of_other_inputs_is_not_believed_and_that_is_said(
    kept: Kept, field: str, run_dir: Path, cache_dir: Path
) -> None:
    """The name of a folder is half of a fingerprint; the manifest holds all of it, and vouches for its facts."""
    kept.copy(cache_dir)
    forged = {"fingerprint": "f" * 64, "part": "another", "facts": {"inertia": 1.0}}
    for kind in ("vectors", "clusters"):
        path = part(cache_dir, kind).with_suffix(".json")
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, field: forged[field]}))

    ended = kept.run(run_dir, cache_dir)

    if field == "fingerprint":
        for kind in ("vectors", "clusters"):
            assert f"{part(cache_dir, kind).name}.json belongs to other inputs" in ended.err
    elif field == "facts":
        assert "clustering.json is damaged" in ended.err


def test_the_cache_of_another_model_size_or_version_is_never_read(
    kept: Kept, run_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    """Each has a folder of its own. Put under the name of the one that is wanted, it says what it is of."""
    other = save(convolution_graph(4), tmp_path / "other.onnx", dim=4).path
    words = kept.words(run_dir, tmp_path / "other-cache")
    words[words.index(kept.model)] = other
    assert kept.crowd.run(*words).code == 0
    shutil.rmtree(run_dir)
    kept.copy(cache_dir)
    for stage in ("embed", "cluster"):
        (wanted,) = (cache_dir / stage).iterdir()
        (of_another,) = (tmp_path / "other-cache" / stage).iterdir()
        shutil.rmtree(wanted)
        shutil.copytree(of_another, wanted)

    ended = kept.run(run_dir, cache_dir)

    assert "embedding again: vectors.json belongs to other inputs" in ended.err
    assert "clustering again: clustering.json belongs to other inputs" in ended.err


class Trap:
    """What makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


def test_pickled_objects_that_a_manifest_vouches_for_are_never_unpickled(
    kept: Kept, run_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    kept.copy(cache_dir)
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    for kind in ("rows", "vectors", "clusters"):
        at = part(cache_dir, kind)
        manifest = json.loads(at.with_suffix(".json").read_text())
        for path in arrays(at):
            np.save(path, trap, allow_pickle=True)
            manifest["sha256"][path.name.split(".")[1]] = file_sha256(path)
        at.with_suffix(".json").write_text(json.dumps(manifest))
    np.load(arrays(at)[0], allow_pickle=True)  # it does spring where pickles are allowed
    (tmp_path / "sprung").rmdir()

    ended = kept.run(run_dir, cache_dir)

    assert not (tmp_path / "sprung").exists()
    assert ended.err.count("cannot be read (ValueError)") == 3


@pytest.mark.parametrize("what", ["manifest", "array"])
def test_a_pipe_in_the_place_of_a_part_is_not_waited_for(
    kept: Kept, what: str, run_dir: Path, cache_dir: Path
) -> None:
    kept.copy(cache_dir)
    for kind in ("rows", "vectors", "clusters"):
        at = part(cache_dir, kind)
        path = at.with_suffix(".json") if what == "manifest" else arrays(at)[0]
        path.unlink()
        os.mkfifo(path)

    ended = kept.run(run_dir, cache_dir)

    assert ended.err.count("again: ") == 3


def test_a_pipe_in_the_place_of_a_runs_mark_is_not_waited_for(
    kept: Kept, run_dir: Path, cache_dir: Path
) -> None:
    kept.copy(cache_dir)
    kept.run(run_dir, cache_dir)
    (run_dir / "DONE.json").unlink()
    os.mkfifo(run_dir / "DONE.json")

    ended = kept.run(run_dir, cache_dir)

    assert "DONE.json cannot be read; finishing this run again" in ended.err
    assert (run_dir / "DONE.json").is_file()


def test_a_link_in_the_place_of_a_part_is_replaced_and_never_written_through(
    kept: Kept, run_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    kept.copy(cache_dir)
    precious = tmp_path / "precious"
    precious.write_bytes(b"not ours")
    for kind in ("rows", "vectors", "clusters"):
        for path in (part(cache_dir, kind).with_suffix(".json"), arrays(part(cache_dir, kind))[0]):
            path.unlink()
            path.symlink_to(precious)

    kept.run(run_dir, cache_dir)

    assert precious.read_bytes() == b"not ours"
    assert not [path for path in cache_dir.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("kind", ["rows", "vectors", "clusters"])
def test_a_folder_in_the_place_of_a_part_is_named(
    kept: Kept, kind: str, run_dir: Path, cache_dir: Path
) -> None:
    kept.copy(cache_dir)
    path = arrays(part(cache_dir, kind))[0]
    path.unlink()
    path.mkdir()

    ended = kept.crowd.run(*kept.words(run_dir, cache_dir))

    assert ended.code == 3
    assert f"Cannot write {path}: Is a directory" in ended.err
    path.rmdir()
    kept.run(run_dir, cache_dir)
