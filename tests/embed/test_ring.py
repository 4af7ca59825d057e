"""The ring of buffers: order, padding, overlap, errors in the middle, closing early; with small real slots, no device."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.embed.ring import stream
from fer_audit.errors import ModelError

BATCH = 4


class Colours:
    """A slot whose vectors are the images' mean colours; it keeps what was uploaded apart from what is being filled."""

    def __init__(self, *, seconds: float = 0.0, breaks_at: int | None = None) -> None:
        self.host = np.full((BATCH, 2, 2, 3), 99, np.uint8)
        self.seconds = seconds
        self.breaks_at = breaks_at
        self.computed: list[NDArray[np.uint8]] = []
        self._device = self.host.copy()
        self._vectors = np.empty((BATCH, 3), np.float32)

    def upload(self) -> None:
        self._device = self.host.copy()

    def compute(self) -> None:
        time.sleep(self.seconds)
        if self.breaks_at is not None and (self._device == self.breaks_at).any():
            raise ModelError("broken")
        self.computed.append(self._device)
        self._vectors = self._device.mean(axis=(1, 2), dtype=np.float32)

    def fetch(self) -> NDArray[np.float32]:
        return self._vectors.copy()


def batches(sizes: list[int]) -> list[NDArray[np.uint8]]:
    """Return batches whose images are 1, 2, 3, ... all over."""
    numbers = iter(range(1, 250))
    return [
        np.stack([np.full((2, 2, 3), next(numbers), np.uint8) for _ in range(size)])
        for size in sizes
    ]


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """Give the one thread that computes."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("in_flight", [1, 2, 3])
@pytest.mark.parametrize("sizes", [[], [1], [4], [4, 4, 4, 4, 4], [4, 3, 4, 1, 2], [2, 2]])
def test_every_batch_gives_its_vectors_in_order(
    worker: ThreadPoolExecutor, in_flight: int, sizes: list[int]
) -> None:
    slots = [Colours() for _ in range(in_flight)]

    found = list(stream(slots, batches(sizes), worker))

    assert [len(vectors) for vectors in found] == sizes
    wanted = np.arange(1, sum(sizes) + 1)
    assert np.concatenate([[], *(vectors[:, 0] for vectors in found)]).tolist() == wanted.tolist()


def test_a_short_batch_is_padded_with_black_and_not_with_the_batch_before(
    worker: ThreadPoolExecutor,
) -> None:
    slot = Colours()

    list(stream([slot], batches([4, 1]), worker))

    assert [seen.shape for seen in slot.computed] == [(BATCH, 2, 2, 3)] * 2
    assert slot.computed[1][0].all()
    assert not slot.computed[1][1:].any()


def test_the_next_batch_is_made_while_one_is_computed(worker: ThreadPoolExecutor) -> None:
    """The first batch is not done before the second was asked for: one after the other, this would never end.

    No more than the slots can hold is asked for ahead.
    """
    second_asked = threading.Event()
    kept_waiting: list[bool] = []

    class Waits(Colours):
        def compute(self) -> None:
            kept_waiting.append(not second_asked.wait(timeout=20))
            super().compute()

    def told() -> Iterator[NDArray[np.uint8]]:
        for number, pixels in enumerate(batches([4] * 5)):
            asked.append(number)
            if number == 1:
                second_asked.set()
            yield pixels

    asked: list[int] = []
    running = stream([Waits(), Waits()], told(), worker)
    next(running)

    assert len(asked) == 3
    assert len(list(running)) == 4
    assert kept_waiting == [False] * 5


@pytest.mark.parametrize("in_flight", [1, 2])
def test_an_error_comes_where_its_batch_would_have_and_the_ring_can_be_used_again(
    worker: ThreadPoolExecutor, in_flight: int
) -> None:
    slots = [Colours(breaks_at=6) for _ in range(in_flight)]
    running = stream(slots, batches([4, 4, 4]), worker)

    assert next(running)[:, 0].tolist() == [1, 2, 3, 4]
    with pytest.raises(ModelError, match="broken"):
        next(running)

    assert len(list(stream(slots, batches([4]), worker))) == 1


def test_an_error_of_whoever_makes_the_batches_comes_through(worker: ThreadPoolExecutor) -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield from batches([4, 4])
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(stream([Colours(), Colours()], broken(), worker))


def test_closing_early_waits_for_what_is_computed(worker: ThreadPoolExecutor) -> None:
    """Nobody may fill a buffer that a device still reads."""
    slots = [Colours(seconds=0.05), Colours(seconds=0.05)]
    running = stream(slots, batches([4] * 6), worker)
    next(running)

    running.close()

    assert sum(len(slot.computed) for slot in slots) == 2
