"""Turns, warm-ups, budgets: what makes two times comparable."""

from __future__ import annotations

import time

import pytest

from fer_audit.bench import measure as measuring
from fer_audit.bench.measure import Step, measure, ratio
from fer_audit.bench.memory import PeakMemory
from fer_audit.bench.types import StageSpeed
from fer_audit.progress import Silent


def step(name: str, log: list[str], seconds: float = 0.0) -> Step:
    """Return a step that writes its name down when it works, and in brackets when it is prepared."""

    def work() -> None:
        log.append(name)
        time.sleep(seconds)

    return Step(name, "", 10, "images", 1, work, lambda: log.append(f"({name})"))


def speed(name: str, *seconds: float) -> StageSpeed:
    return StageSpeed(name, "", 10, "images", seconds, 1, None)


def test_steps_take_turns_after_one_warm_up_each() -> None:
    log: list[str] = []

    found = measure(
        [step("a", log), step("b", log)], repeats=2, meter=PeakMemory(), progress=Silent()
    )

    assert "".join(log) == "(a)a(b)b" * 3
    assert [(each.stage, len(each.seconds)) for each in found] == [("a", 2), ("b", 2)]


def test_steps_that_are_warm_are_not_warmed_up_again() -> None:
    log: list[str] = []

    measure([step("a", log)], repeats=2, meter=PeakMemory(), progress=Silent(), warm=True)

    assert log == ["(a)", "a"] * 2


def test_preparation_is_outside_the_time() -> None:
    slow = Step("a", "", 1, "images", 1, lambda: None, lambda: time.sleep(0.05))

    (found,) = measure([slow], repeats=1, meter=PeakMemory(), progress=Silent())

    assert found.seconds[0] < 0.04


def test_a_budget_ends_the_rounds_but_never_before_the_first_sample() -> None:
    log: list[str] = []

    (found,) = measure(
        [step("a", log)], repeats=5, meter=PeakMemory(), progress=Silent(), budget_seconds=0.0
    )

    assert len(found.seconds) == 1
    assert log.count("a") == 2, "a short warm-up is no sample"


def test_a_long_warm_up_is_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LONG_SECONDS", 0.001)
    log: list[str] = []

    (found,) = measure(
        [step("a", log, 0.002)],
        repeats=5,
        meter=PeakMemory(),
        progress=Silent(),
        budget_seconds=0.001,
    )

    assert (len(found.seconds), log.count("a")) == (1, 1)


def test_rates_median_and_spread_are_of_the_raw_seconds() -> None:
    found = speed("a", 1.0, 2.0, 4.0)

    assert found.rates == (10.0, 5.0, 2.5)
    assert found.median == 5.0
    assert found.spread == pytest.approx(1.5)
    assert speed("a", 1.0).spread is None


def test_a_ratio_is_taken_round_by_round() -> None:
    """Both slow down together in the second round; the ratio does not move."""
    found = ratio("a / b", speed("a", 2.0, 20.0, 2.0), speed("b", 1.0, 10.0, 1.0))

    assert found.values == (0.5, 0.5, 0.5)
    assert (found.over, found.under, found.median) == ("a", "b", 0.5)


def test_stages_that_were_not_measured_in_turns_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        ratio("a / b", speed("a", 1.0), speed("b", 1.0, 1.0))
