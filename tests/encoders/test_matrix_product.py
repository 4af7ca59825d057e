"""The graphs that measure the roofline multiply what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from fer_audit.config import Precision
from fer_audit.embed.session import EmbedSession
from fer_audit.embed.types import CPU
from fer_audit.encoders.flops import multiply_adds
from fer_audit.encoders.matrix_product import matrix_product_graph, save_matrix_product
from fer_audit.encoders.sidecar import load_model
from fer_audit.errors import ModelError

SIZE, COLUMNS, BATCH = 4, 8, 5


@pytest.mark.parametrize(
    ("precision", "layers", "tolerance"),
    [("fp32", 1, 1e-5), ("fp32", 4, 1e-5), ("fp16", 3, 0.02), ("int8", 1, 0.0)],
)
def test_the_session_gives_the_largest_numbers_of_numpys_product(
    tmp_path: Path, precision: Precision, layers: int, tolerance: float
) -> None:
    path = tmp_path / "product.onnx"
    save_matrix_product(path, precision, size=SIZE, columns=COLUMNS, layers=layers)
    images = np.random.default_rng(1).integers(0, 256, (BATCH, SIZE, SIZE, 3), dtype=np.uint8)
    graph = matrix_product_graph(precision, size=SIZE, columns=COLUMNS, layers=layers)
    weights = [numpy_helper.to_array(each).astype(np.float64) for each in graph.graph.initializer]
    expected = images.reshape(BATCH, -1).astype(np.float64)
    for layer in range(layers):
        expected = expected @ weights[min(layer, 1)]
    expected = expected.max(axis=1, keepdims=True)

    session = EmbedSession(load_model(path), CPU, batch_size=BATCH, threads=1)
    found = session.embed(images)

    assert found.shape == (BATCH, 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("precision", "layers"), [("fp32", 1), ("fp16", 3), ("int8", 1)])
def test_its_arithmetic_is_that_of_its_shapes(precision: Precision, layers: int) -> None:
    graph = matrix_product_graph(precision, size=SIZE, columns=COLUMNS, layers=layers)

    assert multiply_adds(graph) == SIZE * SIZE * 3 * COLUMNS + (layers - 1) * COLUMNS**2


def test_a_chain_in_int8_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot be chained"):
        matrix_product_graph("int8", size=SIZE, columns=COLUMNS, layers=2)
