"""Round clouds whose partition is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CENTRES = np.array([[0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 20]])
SHARES = (0.4, 0.3, 0.2, 0.1)
"""Four clouds of different size: their order is known too."""


def blobs(
    seed: int, *, n: int = 400, spread: float = 1.0, d: int = 6
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return (n, d) shuffled vectors of four clouds and the (n,) number of each one's cloud."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat(np.arange(4), [int(n * share) for share in SHARES]))
    vectors = rng.normal(50, spread, (len(kinds), d))
    vectors[:, :3] += CENTRES[kinds]
    return vectors.astype(np.float32), kinds
