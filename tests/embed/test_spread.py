"""Several sessions over disjoint shards: the bytes of one session, whoever took what. CPU sessions stand for devices."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.embed.run import missing_shards
from fer_audit.embed.session import EmbedSession, open_sessions
from fer_audit.embed.spread import embed_everywhere
from fer_audit.embed.types import CPU, Place
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError, StoreError
from fer_audit.pack.rows import empty_rows
from fer_audit.pack.types import PackShard
from fer_audit.progress import Silent
from fer_audit.store.stage import StageFolder
from tests.graphs import SIZE

ROWS = 5
SHARDS = 7


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows in a shard, so that a batch of three does not divide it."""
    monkeypatch.setattr("fer_audit.pack.types.SHARD_ROWS", ROWS)


def sessions(model: ExportedModel, count: int) -> list[EmbedSession]:
    """Return so many sessions of one thread; the CPU has only one device, so its number is repeated."""
    return open_sessions(model, Place(CPU, (0,) * count), batch_size=3, threads=1)


def shards() -> Iterator[tuple[int, PackShard]]:
    rng = np.random.default_rng(0)
    for index in range(SHARDS):
        rows = empty_rows(ROWS)
        rows.ok[:] = True
        pixels: NDArray[np.uint8] = rng.integers(0, 256, (ROWS, SIZE, SIZE, 3), dtype=np.uint8)
        yield index, PackShard(index * ROWS, (index + 1) * ROWS, pixels, rows)


class Counts:
    """A progress that adds up, and notices two voices at once."""

    def __init__(self) -> None:
        self.done = 0
        self._speaking = threading.Lock()

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None: ...

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None: ...

    def advance(self, stage: str, amount: int = 1) -> None:
        assert self._speaking.acquire(blocking=False), "two threads spoke at once"
        self.done += amount
        self._speaking.release()

    def finish(self, stage: str) -> None: ...

    def say(self, message: str) -> None: ...


def files(folder: StageFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_several_sessions_give_the_bytes_of_one(
    tmp_path: Path, convolutions: ExportedModel, count: int
) -> None:
    alone = StageFolder.open(tmp_path / "one", "embed", "f" * 64)
    embed_everywhere(shards(), sessions(convolutions, 1), alone, Silent())
    folder = StageFolder.open(tmp_path / "many", "embed", "f" * 64)
    progress = Counts()

    embed_everywhere(shards(), sessions(convolutions, count), folder, progress)

    assert progress.done == SHARDS * ROWS
    assert len(files(folder)) == SHARDS * 2
    assert files(folder) == files(alone)


def test_every_shard_is_taken_once_and_by_more_than_one_session(
    tmp_path: Path, convolutions: ExportedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sessions meet at a barrier with their first batch: neither could have taken everything."""
    both = threading.Barrier(2, timeout=20)
    opened = sessions(convolutions, 2)
    met: set[int] = set()
    real = EmbedSession.stream

    def meeting(self: EmbedSession, batches: Iterator[NDArray[np.uint8]]) -> Iterator[object]:
        for vectors in real(self, batches):
            if id(self) not in met:
                met.add(id(self))
                both.wait()
            yield vectors

    monkeypatch.setattr(EmbedSession, "stream", meeting)
    taken: list[int] = []

    def told() -> Iterator[tuple[int, PackShard]]:
        for index, shard in shards():
            taken.append(index)
            yield index, shard

    embed_everywhere(told(), opened, StageFolder.open(tmp_path, "embed", "f" * 64), Silent())

    assert len(met) == 2
    assert taken == list(range(SHARDS))


def test_when_one_session_fails_finished_shards_are_kept_and_its_error_is_raised(
    tmp_path: Path, convolutions: ExportedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=20)
    opened = sessions(convolutions, 2)
    real = EmbedSession.stream

    def failing(self: EmbedSession, batches: Iterator[NDArray[np.uint8]]) -> Iterator[object]:
        for number, vectors in enumerate(real(self, batches)):
            if number == 0:
                both.wait()  # each has a shard, of two batches
            if self is opened[1] and number == 1:
                raise ModelError("device 1 fell off the bus")
            yield vectors

    monkeypatch.setattr(EmbedSession, "stream", failing)
    folder = StageFolder.open(tmp_path, "embed", "f" * 64)

    with pytest.raises(ModelError, match="fell off the bus"):
        embed_everywhere(shards(), opened, folder, Silent())

    missing, complaints = missing_shards(folder, SHARDS * ROWS)
    assert not complaints
    assert missing, "the failed session's shard cannot be there"
    monkeypatch.setattr(EmbedSession, "stream", real)
    todo = [(index, shard) for index, shard in shards() if index in missing]
    embed_everywhere(todo, opened, folder, Silent())
    alone = StageFolder.open(tmp_path / "one", "embed", "f" * 64)
    embed_everywhere(shards(), sessions(convolutions, 1), alone, Silent())
    assert files(folder) == files(alone)


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_of_the_shards_is_raised_once_and_nobody_hangs(
    tmp_path: Path, convolutions: ExportedModel, count: int
) -> None:
    def broken() -> Iterator[tuple[int, PackShard]]:
        for index, shard in shards():
            if index == 3:
                raise StoreError("the disk is gone")
            yield index, shard

    folder = StageFolder.open(tmp_path, "embed", "f" * 64)

    with pytest.raises(StoreError, match="the disk is gone"):
        embed_everywhere(broken(), sessions(convolutions, count), folder, Silent())
