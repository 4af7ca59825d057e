"""What is recommended follows from what was measured, and says when it does not."""

from __future__ import annotations

import pytest

from fer_audit.bench.recommend import recommend
from fer_audit.bench.types import (
    MachineFacts,
    ModelMeasured,
    Ratio,
    Recommendation,
    StageSpeed,
    Trial,
)
from fer_audit.config import Precision
from fer_audit.embed.types import CPU, CUDA


def advice(
    *,
    isa: tuple[str, ...] = ("avx2",),
    precision: Precision = "fp32",
    provider: str = CPU,
    rates: dict[str, float] | None = None,
    cold: tuple[float, ...] = (),
    trials: tuple[Trial, ...] = (),
) -> dict[str, Recommendation]:
    machine = MachineFacts("A CPU", 4, isa, "Linux", 0.0, ())
    model = ModelMeasured("m", "0" * 64, precision, provider, 2, 8, 32, 3, None, 0.1)
    stages = [
        StageSpeed(name, "", 10, "images", (10 / rate,), 1, None)
        for name, rate in (rates or {}).items()
    ]
    ratios = [Ratio("cold / bare", "embed from files", "bare model", cold)] if cold else []
    return {each.setting: each for each in recommend(machine, model, stages, ratios, trials)}


@pytest.mark.parametrize("flag", ["avx512_vnni", "avx_vnni", "i8mm"])
def test_a_cpu_that_multiplies_bytes_is_worth_trying_in_int8(flag: str) -> None:
    assert advice(isa=("avx2", flag))["precision"].value == "int8"
    assert flag in advice(isa=("avx2", flag))["precision"].reason
    assert not advice(isa=("avx2", flag))["precision"].measured


def test_other_machines_and_precisions_get_what_suits_them() -> None:
    assert advice()["precision"].value == "fp32"
    assert advice(provider=CUDA)["precision"].value == "fp16"
    assert advice(precision="int8")["precision"].value == "int8"


def test_pixels_are_worth_keeping_where_decoding_holds_the_model_up() -> None:
    slow = advice(rates={"decode + resize": 65.0}, cold=(0.5, 0.6, 0.7))["pack"]

    assert "pack" not in advice()
    assert advice(cold=(0.8, 0.95, 1.0))["pack"].value == "auto"
    assert slow.value == "on"
    assert slow.measured
    assert "60%" in slow.reason
    assert "65 images/s" in slow.reason


def test_what_was_searched_is_measured_with_the_rate_it_reached() -> None:
    trials = (Trial(1, 8, 8, (1.0,)), Trial(2, 8, 8, (0.5,)), Trial(2, 16, 16, (1.1,)))

    found = advice(trials=trials)

    assert (found["threads"].value, found["batch-size"].value) == ("2", "8")
    assert found["threads"].measured
    assert "16.0 images/s" in found["threads"].reason
    assert "8.0" in found["threads"].reason
