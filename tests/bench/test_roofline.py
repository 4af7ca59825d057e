"""The roof is measured in the model's precision, and through the provider that runs the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.bench.roofline import products
from fer_audit.bench.types import Roofline, StageSpeed
from fer_audit.config import Precision
from fer_audit.embed.types import CPU, Place

PLACE = Place(CPU, (0,))


@pytest.mark.parametrize(
    ("precision", "operators"),
    [("fp32", ["sgemm", "MatMul"]), ("int8", ["MatMulInteger"])],
)
def test_there_is_a_product_for_every_precision(
    tmp_path: Path, precision: Precision, operators: list[str]
) -> None:
    found, missing = products(tmp_path, precision, PLACE, threads=1, side=64)

    assert missing == []
    assert [any(word in each.by for word in operators) for each in found] == [True] * len(
        operators
    )
    assert [each.precision for each in found] == [precision] * len(operators)
    assert found[-1].multiply_adds == 64 * 3072 * 64
    assert found[-1].multiplied == "64 x 3072 by 3072 x 64"


def test_a_multiply_add_is_two_operations_and_the_best_sample_is_the_roof(tmp_path: Path) -> None:
    (product, _), _ = products(tmp_path, "fp32", PLACE, threads=1, side=64)

    speed = StageSpeed("roofline", "", 1, "products", (2e-3, 1e-3), 1, None)
    roof = product.measured(speed)

    assert isinstance(roof, Roofline)
    assert roof.gflops == pytest.approx(2 * 64**3 / 1e-3 / 1e9)


def test_a_roof_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """fp16 on a CPU would be fp32 between conversions, and the session refuses it."""
    found, missing = products(tmp_path, "fp16", PLACE, threads=1, side=64)

    assert found == []
    assert len(missing) == 1
    assert missing[0].startswith("the fp16 roofline")
