"""A peak is what was held at most, by whichever way this system has."""

from __future__ import annotations

import mmap
import time
from pathlib import Path

import pytest

from fer_audit.bench import memory
from fer_audit.bench.memory import RESET, SAMPLED, SINCE_START, PeakMemory, best_method

BIG = 64_000_000
PAGE = mmap.PAGESIZE
linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")


def hold_and_drop() -> None:
    """Touch every page of fresh memory: what malloc has kept from before would not show."""
    with mmap.mmap(-1, BIG) as held:
        held[::PAGE] = b"\1" * len(range(0, BIG, PAGE))
        time.sleep(0.05)


@linux
def test_the_best_way_on_linux_resets_the_kernels_mark() -> None:
    meter = PeakMemory(RESET)
    with meter.watch():
        hold_and_drop()
    high = meter.bytes
    with meter.watch():
        pass

    assert high is not None
    assert meter.bytes is not None
    assert high - meter.bytes > 0.9 * BIG, "the second block did not hold it"


@linux
def test_a_thread_that_looks_sees_what_is_held_for_a_while() -> None:
    meter = PeakMemory(SAMPLED)
    with meter.watch():
        pass
    low = meter.bytes

    with meter.watch():
        hold_and_drop()

    assert low is not None
    assert meter.bytes is not None
    assert meter.bytes - low > 0.9 * BIG


def test_the_mark_since_the_start_never_falls() -> None:
    pytest.importorskip("resource")
    meter = PeakMemory(SINCE_START)
    with meter.watch():
        hold_and_drop()
    first = meter.bytes

    with meter.watch():
        pass

    assert first is not None
    assert meter.bytes is not None
    assert meter.bytes >= first > BIG


@pytest.mark.parametrize(("there", "expected"), [(("statm",), SAMPLED), ((), SINCE_START)])
def test_a_system_that_lets_nobody_reset_is_read_another_way(
    there: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clear_refs").mkdir()  # cannot be written, whoever we are
    for name in there:
        (tmp_path / name).write_text("1 1 1\n")
    monkeypatch.setattr(memory, "_PROC", tmp_path)

    assert best_method() == expected
    assert PeakMemory().method == expected
