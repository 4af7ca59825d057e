"""Turns, warm-ups and budgets: what makes two numbers comparable."""

from __future__ import annotations

import time

import pytest

from fer_audit.bench import measure as measuring
from fer_audit.bench.measure import Step, measure_alone, measure_in_turns, ratio
from fer_audit.bench.types import StageSpeed
from fer_audit.progress import Silent


def step(name: str, log: list[str]) -> Step:
    """Return a step that writes its name down when it works, and in brackets when it is prepared."""
    return Step(
        name, "", 10, "images", 1, lambda: log.append(name), lambda: log.append(f"({name})")
    )


def speed(name: str, *seconds: float) -> StageSpeed:
    return StageSpeed(name, "", 10, "images", seconds, 1)


def test_steps_take_turns_and_a_step_alone_is_warmed_up_first() -> None:
    log: list[str] = []
    found = measure_in_turns([step("a", log), step("b", log)], repeats=2, progress=Silent())
    assert "".join(log) == "(a)a(b)b" * 2
    assert [(stage.stage, len(stage.seconds)) for stage in found] == [("a", 2), ("b", 2)]

    log.clear()
    alone = measure_alone(step("a", log), repeats=2, progress=Silent())
    assert "".join(log) == "(a)a" * 3
    assert len(alone.seconds) == 2


def test_preparation_is_outside_the_time() -> None:
    slow = Step("a", "", 1, "images", 1, lambda: None, lambda: time.sleep(0.05))

    (found,) = measure_in_turns([slow], repeats=1, progress=Silent())

    assert found.seconds[0] < 0.04


@pytest.mark.parametrize(
    ("limit", "calls", "why"),
    [
        ("BUDGET_SECONDS", 2, "a short warm-up is no sample"),
        ("LONG_SECONDS", 5, "a long warm-up is one"),
    ],
)
def test_a_budget_ends_the_samples_and_a_long_warm_up_counts(
    limit: str, calls: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, limit, 0.0)
    log: list[str] = []

    found = measure_alone(step("a", log), repeats=5, progress=Silent())

    assert log.count("a") == calls, why
    assert len(found.seconds) == (1 if limit == "BUDGET_SECONDS" else 5)


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

    with pytest.raises(ValueError, match="argument 2"):  # not measured in turns
        ratio("a / b", speed("a", 1.0), speed("b", 1.0, 1.0))
