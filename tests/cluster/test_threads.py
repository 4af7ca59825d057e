"""Many threads give what one gives, in the same order, and hold only a few items at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info

from fer_audit.cluster import threads
from fer_audit.cluster.threads import parallel_map


@pytest.fixture(params=[1, 3])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    count: int = request.param
    monkeypatch.setattr(threads, "usable_cores", lambda: count)
    return count


def test_results_come_in_the_order_of_the_items(cores: int) -> None:
    def slow_first(x: int) -> int:
        time.sleep(0.02 if x == 0 else 0)
        return x * x

    with parallel_map() as parallel:
        assert list(parallel(slow_first, range(20))) == [x * x for x in range(20)]


def test_only_a_few_items_are_taken_ahead_of_the_results(cores: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for x in range(50):
            taken += 1
            yield x

    with parallel_map() as parallel:
        for done, _ in enumerate(parallel(abs, items()), start=1):
            assert taken <= done + cores


def test_an_error_in_one_piece_is_raised_and_later_pieces_are_dropped(cores: int) -> None:
    begun = []

    def fails(x: int) -> int:
        begun.append(x)
        if x == 2:
            raise ValueError("piece 2")
        return x

    with pytest.raises(ValueError, match="piece 2"), parallel_map() as parallel:
        list(parallel(fails, range(1000)))
    assert len(begun) < 20


def test_linear_algebra_is_limited_inside_and_as_before_outside(cores: int) -> None:
    before = [pool["num_threads"] for pool in threadpool_info()]

    with parallel_map() as parallel:
        inside = [
            {pool["num_threads"] for pool in pools}
            for pools in parallel(lambda _: threadpool_info(), range(4))
        ]

    assert all(each == {1} for each in inside)
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_pieces_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)

    with parallel_map() as parallel:
        assert sorted(parallel(lambda _: meeting.wait(), range(2))) == [0, 1]
