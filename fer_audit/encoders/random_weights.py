"""ResNet50 with random weights: the floor. What its clusters find needs no training, only the pixels and the shape of the net."""

from __future__ import annotations

import numpy as np

from fer_audit.encoders.weights import ConvBatchNorm, LayerId, layer_ids
from fer_audit.rng import stage_rng

SEED = 0
LAST = 0.25
"""Scale of the last convolution of a block, which is added to the shortcut: 16 blocks then grow sevenfold, not millionfold."""


def random_resnet50() -> dict[LayerId, ConvBatchNorm]:
    """Return layers of He et al.'s normal initialisation (2015), always the same; batch normalisation does nothing."""
    return {layer: _layer(layer) for layer in layer_ids()}


def _layer(layer: LayerId) -> ConvBatchNorm:
    stage, block, branch = layer
    middle = 64 << max(stage - 2, 0)
    before = 64 if stage == 2 else 2 * middle
    entering = before if block == 1 else 4 * middle
    side, given, made = {
        0: (1, entering, 4 * middle),
        1: (1, entering, middle),
        2: (3, middle, middle),
        3: (1, middle, 4 * middle),
    }[branch]
    if stage == 1:
        side, given, made = 7, 3, 64
    rng = stage_rng(SEED, "encoders", "random", *map(str, layer))
    kernel = rng.standard_normal((side, side, given, made), np.float32)
    nothing, one = np.zeros(made, np.float32), np.ones(made, np.float32)
    return ConvBatchNorm(
        kernel=kernel * np.float32(np.sqrt(2 / (side * side * given))),
        bias=nothing,
        gamma=one * np.float32(LAST if branch == 3 else 1),
        beta=nothing,
        mean=nothing,
        variance=one,
    )
