"""Caches of other inputs, damaged ones, and ones that lay a trap: never believed, and only what is damaged is made again."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.conftest import SLOW, Kept
from tests.faults.crowd import SHARD_ROWS, Crowd
from tests.graphs import convolution_graph, save

KINDS = {
    "rows": "pack/*/files-00001",
    "pixels": "pack/*/pixels-00001",
    "vectors": "embed/*/vectors",
    "clusters": "cluster/*/clustering",
}
"""A part of every kind the cache keeps."""


@pytest.fixture
def cache(kept: Kept, cache_dir: Path) -> Path:
    """Give a copy of the cache that a test may damage."""
    return Path(shutil.copytree(kept.cache, cache_dir))


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
    """Return the parts that were made again, e.g. pack/files-00001."""
    return {
        f"{name.split('/')[0]}/{Path(name).name.split('.')[0]}"
        for name in before.keys() & after.keys()
        if before[name] != after[name]
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.core
def test_one_flipped_bit_costs_the_part_it_is_in_and_nothing_else(
    kept: Kept, kind: str, run_dir: Path, cache: Path
) -> None:
    forget_later(cache, kind)
    damaged = part(cache, kind)
    flip(arrays(damaged)[-1])
    before = inodes(cache)

    ended = kept.run(run_dir, cache)

    assert f"again: {arrays(damaged)[-1].name} is damaged" in ended.err
    stage = damaged.parent.parent.name
    # pixels and rows of a shard come from one decoding
    again = {"files-00001", "pixels-00001"} if stage == "pack" else {damaged.name}
    assert changed(before, inodes(cache)) == {f"{stage}/{name}" for name in again}


def test_a_shard_of_a_killed_run_with_a_flipped_bit_is_embedded_again_and_the_whole_one_is_not(
    kept: Kept, run_dir: Path, cache: Path, tmp_path: Path
) -> None:
    """A kill at a rename: STARTED.json is the first, the pixels are there, four give a shard its names, the tenth is in the third shard."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace, which kills at a chosen rename")
    deadly = (
        *("strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=rename"),
        *("-e", "inject=rename:signal=SIGKILL:when=6"),
    )
    shutil.rmtree(cache / "embed")
    with Crowd(tmp_path / "deadly", deadly) as crowd:
        killed = crowd.run(*kept.words(run_dir, cache))
    assert killed.code == -signal.SIGKILL
    shards = sorted(cache.glob("embed/*/vectors-*.json"))
    assert [path.stem for path in shards] == ["vectors-00000", "vectors-00001"]
    flip(arrays(shards[1].with_suffix(""))[-1])

    ended = kept.run(run_dir, cache)

    assert "embedded again: vectors-00001.vectors.npy is damaged" in ended.err
    assert f"embed: 40 images, {SHARD_ROWS} done before" in ended.err


GARBAGE = (b"", b"{", b"[" * 100_000, b"null", b"\xff\xfe", b'{"fingerprint": 1, "sha256": 2}')
"""Empty, cut, deep, no object, no UTF-8, and of wrong types."""


@pytest.mark.parametrize("shift", [0, 2, *(pytest.param(n, marks=SLOW) for n in (1, 3, 4, 5))])
def test_garbage_for_every_manifest_is_a_reason_and_no_crash(
    kept: Kept, shift: int, run_dir: Path, cache: Path
) -> None:
    """Each kind lies in another manifest; the shift decides in which."""
    for number, manifest in enumerate(sorted(cache.rglob("*.json"))):
        manifest.write_bytes(GARBAGE[(number + shift) % len(GARBAGE)])

    ended = kept.run(run_dir, cache)

    for kind in ("rows", "vectors", "clusters"):
        name = part(cache, kind).name
        assert f"again: the manifest {name}.json cannot be read" in ended.err
    assert "Error)" in ended.err


@pytest.mark.parametrize("field", ["fingerprint", "part", "facts"])
@pytest.mark.core
def test_a_manifest_of_other_inputs_is_not_believed_and_that_is_said(
    kept: Kept, field: str, run_dir: Path, cache: Path
) -> None:
    """The name of a folder is half of a fingerprint; the manifest holds all of it, and vouches for its facts."""
    forged = {"fingerprint": "f" * 64, "part": "another", "facts": {"inertia": 1.0}}
    for kind in ("vectors", "clusters"):
        path = part(cache, kind).with_suffix(".json")
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, field: forged[field]}))

    ended = kept.run(run_dir, cache)

    if field == "fingerprint":
        for kind in ("vectors", "clusters"):
            assert f"{part(cache, kind).name}.json belongs to other inputs" in ended.err
    elif field == "facts":
        assert "clustering.json is damaged" in ended.err


def test_the_cache_of_another_model_size_or_version_is_never_read(
    kept: Kept, run_dir: Path, cache: Path, tmp_path: Path
) -> None:
    """Each has a folder of its own. Put under the name of the one that is wanted, it says what it is of."""
    other = save(convolution_graph(4), tmp_path / "other.onnx", dim=4).path
    words = kept.words(run_dir, tmp_path / "other-cache")
    words[words.index(kept.model)] = other
    assert kept.crowd.run(*words).code == 0
    shutil.rmtree(run_dir)
    for stage in ("embed", "cluster"):
        (wanted,) = (cache / stage).iterdir()
        (of_another,) = (tmp_path / "other-cache" / stage).iterdir()
        shutil.rmtree(wanted)
        shutil.copytree(of_another, wanted)

    ended = kept.run(run_dir, cache)

    assert "embedding again: vectors.json belongs to other inputs" in ended.err
    assert "clustering again: clustering.json belongs to other inputs" in ended.err


@pytest.mark.parametrize("what", ["manifest", "array"])
def test_a_pipe_in_the_place_of_a_part_is_not_waited_for(
    kept: Kept, what: str, run_dir: Path, cache: Path
) -> None:
    for kind in ("rows", "vectors", "clusters"):
        at = part(cache, kind)
        path = at.with_suffix(".json") if what == "manifest" else arrays(at)[0]
        path.unlink()
        os.mkfifo(path)

    ended = kept.run(run_dir, cache)

    assert ended.err.count("again: ") == 3


def test_a_pipe_in_the_place_of_a_runs_mark_is_not_waited_for(
    kept: Kept, run_dir: Path, cache: Path
) -> None:
    kept.run(run_dir, cache)
    (run_dir / "DONE.json").unlink()
    os.mkfifo(run_dir / "DONE.json")

    ended = kept.run(run_dir, cache)

    assert "DONE.json cannot be read; finishing this run again" in ended.err
    assert (run_dir / "DONE.json").is_file()


def test_a_link_in_the_place_of_a_part_is_replaced_and_never_written_through(
    kept: Kept, run_dir: Path, cache: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"not ours")
    for kind in ("rows", "vectors", "clusters"):
        for path in (part(cache, kind).with_suffix(".json"), arrays(part(cache, kind))[0]):
            path.unlink()
            path.symlink_to(precious)

    kept.run(run_dir, cache)

    assert precious.read_bytes() == b"not ours"
    assert not [path for path in cache.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("kind", ["rows", "vectors", "clusters"])
def test_a_folder_in_the_place_of_a_part_is_named(
    kept: Kept, kind: str, run_dir: Path, cache: Path
) -> None:
    path = arrays(part(cache, kind))[0]
    path.unlink()
    path.mkdir()

    ended = kept.crowd.run(*kept.words(run_dir, cache))

    assert ended.code == 3
    assert f"Cannot write {path}: Is a directory" in ended.err
    path.rmdir()
    kept.run(run_dir, cache)
