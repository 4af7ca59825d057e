"""The style-only baseline sees what varies, whatever its unit, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from fer_audit.cluster.style_baseline import cluster_style
from fer_audit.cluster.types import NotClusterable
from tests.cluster.clouds import all_ok, clouds


def test_units_and_constant_columns_make_no_difference() -> None:
    style, kinds = clouds(0, k=3, d=4)
    scaled = style * np.array([1, 1e3, 1e-2, 1], np.float32)
    scaled = np.column_stack([scaled, np.full(len(scaled), 7, np.float32)]).astype(np.float32)

    plain = cluster_style(style, all_ok(style), k=3, seed=0)
    other = cluster_style(scaled, all_ok(style), k=3, seed=0)

    assert np.array_equal(plain, other)
    assert adjusted_rand_score(kinds, plain) > 0.98
    assert (np.diff(np.bincount(plain)) <= 0).all()


def test_rows_that_are_not_ok_are_outside_and_change_nothing() -> None:
    style, _ = clouds(1, k=3, d=4)
    ok = np.arange(len(style)) % 4 > 0
    spoilt = style.copy()
    spoilt[~ok] = np.nan

    labels = cluster_style(spoilt, ok, k=3, seed=0)

    assert (labels[~ok] == -1).all()
    assert np.array_equal(labels[ok], cluster_style(style[ok], ok[ok], k=3, seed=0))


def test_style_that_never_varies_has_no_clusters() -> None:
    style = np.ones((20, 3), np.float32)

    with pytest.raises(NotClusterable, match="no style measure varies"):
        cluster_style(style, all_ok(style), k=2, seed=0)
    with pytest.raises(NotClusterable, match="1 usable"):
        cluster_style(style, np.arange(20) == 0, k=2, seed=0)
