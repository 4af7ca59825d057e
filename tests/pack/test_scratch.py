"""Working memory of a thread."""

from __future__ import annotations

import numpy as np

from fer_audit.pack.scratch import LARGEST_KEPT, scratch


def test_working_memory_is_used_again_and_a_huge_piece_is_not_kept() -> None:
    one = scratch("test", (10, 10), np.int32)
    two = scratch("test", (5, 5), np.int16)
    huge = scratch("test", (LARGEST_KEPT + 1,), np.uint8)

    assert np.shares_memory(one, two)
    assert not np.shares_memory(one, scratch("test of another", (10, 10), np.int32))
    assert not np.shares_memory(huge, scratch("test", (LARGEST_KEPT + 1,), np.uint8))
