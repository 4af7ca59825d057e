"""Erasure: known values, and what the theorems of LEACE and SPLINCE promise."""

from __future__ import annotations

import numpy as np
import pytest

from fer_audit.audit.stats.leace import fit_eraser, one_hot

X = np.array([[2, 0, 1], [1, 1, 0], [0, 2, 1], [3, 1, 2], [1, 3, 0], [2, 2, 3]], dtype=np.float64)
TWO = [
    [1.243119, 1.261468, 1.252294],
    [0.655963, 1.573394, 0.114679],
    [0.56422, 1.059633, 0.811927],
    [2.600917, 1.665138, 2.133028],
    [1.426606, 2.288991, -0.142202],
    [2.509174, 1.151376, 2.830275],
]
THREE = [
    [1.439252, 1.476636, 1.23676],
    [1.560748, 1.523364, 1.096573],
    [0.953271, 1.28972, 1.797508],
    [1.803738, 1.616822, 0.816199],
    [2.046729, 1.71028, 0.535826],
    [1.196262, 1.383178, 1.517134],
]


def drawn(n: int = 400, d: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors that follow a group of three and a label of four."""
    rng = np.random.default_rng(3)
    z, y = rng.integers(0, 3, n), rng.integers(0, 4, n)
    mixing = rng.normal(size=(d, d))
    x = rng.normal(size=(n, d)) + one_hot(z) @ rng.normal(size=(3, d))
    return (x + one_hot(y) @ rng.normal(size=(4, d))) @ mixing, z, y


def covariance(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.asarray((x - x.mean(axis=0)).T @ one_hot(codes) / len(x))


@pytest.mark.parametrize(
    ("codes", "erased", "rank"), [([1, 1, 0, 1, 0, 0], TWO, 1), ([0, 0, 1, 2, 1, 2], THREE, 2)]
)
def test_the_golden_values_to_six_digits(
    codes: list[int], erased: list[list[float]], rank: int
) -> None:
    eraser = fit_eraser(X, np.array(codes), shrink=False)

    assert eraser is not None
    assert eraser.rank == rank
    np.testing.assert_allclose(eraser(X), erased, atol=1e-6)


@pytest.mark.parametrize("shrink", [False, True])
@pytest.mark.parametrize("keeps", [False, True])
def test_groups_have_one_mean_afterwards_and_a_kept_label_its_covariance(
    *, keeps: bool, shrink: bool
) -> None:
    x, z, y = drawn()

    eraser = fit_eraser(x, z, y if keeps else None, shrink=shrink)

    assert eraser is not None
    after = eraser(x)
    assert np.abs(covariance(x, z)).max() > 0.1
    np.testing.assert_allclose(covariance(after, z), 0, atol=1e-9)
    unchanged = np.allclose(covariance(after, y), covariance(x, y), atol=1e-9)
    assert unchanged is keeps
    np.testing.assert_allclose(eraser(after), after, atol=1e-9)


def test_no_other_exact_erasure_changes_less() -> None:
    x, z, y = drawn()
    leace, splince = fit_eraser(x, z, shrink=False), fit_eraser(x, z, y, shrink=False)
    assert leace is not None
    assert splince is not None
    basis = np.linalg.qr(covariance(x, z))[0][:, :2]
    orthogonal = x - (x - x.mean(axis=0)) @ basis @ basis.T
    assert np.abs(covariance(orthogonal, z)).max() < 1e-9

    changes = [((x - after) ** 2).sum() for after in (leace(x), splince(x), orthogonal)]

    assert changes[0] == min(changes)


def test_a_label_that_is_the_attribute_cannot_be_kept() -> None:
    x, z, _ = drawn()

    assert fit_eraser(x, z, z) is None


def test_equal_to_concept_erasure() -> None:
    torch = pytest.importorskip("torch")
    concept_erasure = pytest.importorskip("concept_erasure")
    x, z, _ = drawn()
    oracle = concept_erasure.LeaceEraser.fit(
        torch.tensor(x),
        torch.tensor(one_hot(z)),
        shrinkage=False,
        constrain_cov_trace=False,
        svd_tol=1e-9,
    )

    eraser = fit_eraser(x, z, shrink=False)

    assert eraser is not None
    np.testing.assert_allclose(eraser(x), oracle(torch.tensor(x)).numpy(), atol=1e-6)
