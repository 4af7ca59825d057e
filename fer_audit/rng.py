"""Random streams: one for each stage and purpose, so that a new draw in one place never changes another."""

from __future__ import annotations

import hashlib

import numpy as np


def stage_rng(seed: int, *purpose: str) -> np.random.Generator:
    """Return the generator of `purpose`, e.g. `stage_rng(42, "association", "race", "permutation")`.

    The stream depends on the seed and the words alone, not on what was drawn before.
    """
    digest = hashlib.sha256("\0".join(purpose).encode()).digest()
    words = np.frombuffer(digest, dtype=np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words.tolist()])))
