"""The most arithmetic this machine does in a second: large matrix products in the model's precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import threadpoolctl

from fer_audit.bench.measure import Step
from fer_audit.bench.types import ModelMeasured, Roofline, StageSpeed
from fer_audit.config import Precision
from fer_audit.embed.session import open_sessions
from fer_audit.embed.types import CPU, Place
from fer_audit.encoders.matrix_product import save_matrix_product
from fer_audit.errors import ModelError
from fer_audit.rng import stage_rng

SIDE = 2048
"""Rows and columns on a CPU: 26 GFLOP with 3072 between them, a tenth of a second on two fast cores; 50 MB in fp32."""
IMAGE_SIZE = 32
"""32 x 32 x 3 = 3072: the shared axis."""
GPU_SIDE, GPU_LAYERS = 4096, 64
"""On a GPU: 8.8 TFLOP after a copy of 13 MB, which would otherwise be most of the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A matrix product that can be timed."""

    precision: Precision
    by: str
    multiplied: str
    multiply_adds: int
    threads: int
    work: Callable[[], object]

    def step(self) -> Step:
        """Return it as a step, so that it is measured in turns with the model."""
        return Step("roofline", self.multiplied, 1, "products", self.threads, self.work)

    def measured(self, speed: StageSpeed) -> Roofline:
        """Return what its samples say."""
        return Roofline(
            self.precision,
            self.by,
            self.multiplied,
            self.multiply_adds,
            self.threads,
            speed.seconds,
        )


def products(
    folder: Path, precision: Precision, place: Place, *, threads: int, side: int | None = None
) -> tuple[list[Product], list[str]]:
    """Return the products to time, and what cannot be.

    One through ONNX Runtime, on the same provider and threads as the model; in fp32 on a CPU one through NumPy's BLAS
    as well: a roof is the best that anybody reaches. The graph is written to `folder`; each product ran once before.
    """
    found, missing = [], []
    if place.provider == CPU and precision == "fp32":
        found.append(_blas_product(side or SIDE, threads))
    try:
        found.append(_runtime_product(folder, precision, place, threads, side))
        for each in found:
            each.work()  # the first call makes threads, and packs the weights
    except ModelError as exc:
        missing.append(f"the {precision} roofline through ONNX Runtime: {exc}")
    return found, missing


def share_of_roofline(
    speed: StageSpeed, model: ModelMeasured, roofs: tuple[Roofline, ...]
) -> float | None:
    """Return the arithmetic a second of a stage over the best roof's; None when one of the two is not known."""
    if model.multiply_adds is None or not roofs:
        return None
    return 2e-9 * model.multiply_adds * speed.median / max(roof.gflops for roof in roofs)


def _blas_product(side: int, threads: int) -> Product:
    rng = stage_rng(0, "bench", "roofline")
    left, right = (rng.standard_normal((side, side), dtype=np.float32) for _ in range(2))
    product = np.empty((side, side), np.float32)

    def work() -> None:
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            np.matmul(left, right, out=product)

    libraries = {
        each["internal_api"]
        for each in threadpoolctl.threadpool_info()
        if each["user_api"] == "blas"
    }
    by = f"numpy, {'/'.join(sorted(libraries)) or 'its own'} sgemm"
    return Product("fp32", by, f"{side} x {side} by {side} x {side}", side**3, threads, work)


def _runtime_product(
    folder: Path, precision: Precision, place: Place, threads: int, side: int | None
) -> Product:
    on_cpu = place.provider == CPU
    side = side or (SIDE if on_cpu else GPU_SIDE)
    layers = 1 if on_cpu or precision == "int8" else GPU_LAYERS
    path = folder / f"product-{precision}.onnx"
    model = save_matrix_product(path, precision, size=IMAGE_SIZE, columns=side, layers=layers)
    (session,) = open_sessions(model, place, batch_size=side, threads=threads)
    images = stage_rng(0, "bench", "images").integers(
        0, 256, (side, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8
    )
    shared = IMAGE_SIZE * IMAGE_SIZE * 3
    multiplied = f"{side} x {shared} by {shared} x {side}"
    if layers > 1:
        multiplied += f", then {layers - 1} times by {side} x {side}"
    operator = "MatMulInteger" if precision == "int8" else "MatMul"
    return Product(
        precision,
        f"onnxruntime {operator}, {session.provider}",
        multiplied,
        side * side * (shared + (layers - 1) * side),
        threads,
        lambda: session.embed(images),
    )
