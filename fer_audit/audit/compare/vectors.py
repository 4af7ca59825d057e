"""What vectors look like before anything is made of them: a badly fed encoder shows here first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.compare import VectorFacts

BLOCK_BYTES = 32 * 2**20


def measure_vectors(vectors: NDArray[np.floating], ok: NDArray[np.bool_]) -> VectorFacts:
    """Return the share of zeros and the lengths of the (n, d) vectors of images that are ok.

    `vectors` may be a memory map of any size: it is read once, 32 MiB at a time.
    """
    n, dim = int(ok.sum()), vectors.shape[1]
    if n == 0 or dim == 0:
        fields = ("zero_share", "norm_mean", "norm_sd")
        return VectorFacts(
            n, dim, None, None, None, tuple((name, "no image was embedded") for name in fields)
        )
    step = max(1, BLOCK_BYTES // (dim * vectors.dtype.itemsize))
    zeros = 0
    norms = []
    for start in range(0, len(vectors), step):
        block = np.asarray(vectors[start : start + step])[ok[start : start + step]]
        zeros += block.size - int(np.count_nonzero(block))
        norms.append(np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64)))
    lengths = np.concatenate(norms)
    return VectorFacts(
        n=n,
        dim=dim,
        zero_share=zeros / (n * dim),
        norm_mean=float(lengths.mean()),
        norm_sd=float(lengths.std()),
    )
