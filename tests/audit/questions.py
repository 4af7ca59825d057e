"""One question asked of columns that a test has drawn."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.claims.associations import Pair
from fer_audit.audit.claims.conditional_tests import answer
from fer_audit.audit.claims.confounders import Question
from fer_audit.audit.types.claims import Conditional
from tests.audit.inputs import Codes, attribute

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def linked() -> Columns:
    """Return clusters, groups and strata of 4,000 images; clusters follow the groups within strata."""
    rng = np.random.default_rng(0)
    z = rng.integers(0, 6, 4000)
    a = np.minimum(rng.integers(0, 4, 4000) + (z > 3), 3)
    c = np.where(rng.random(4000) < 0.2, np.minimum(a, 2), rng.integers(0, 3, 4000))
    return c, a, z


def asked(
    c: Codes,
    a: Codes,
    z: Codes,
    *,
    permutations: int = 299,
    rung: int = 6,
    people: Codes | None = None,
    collection: Codes | None = None,
) -> Conditional:
    """Return what is left given the day; c has three groups, or as many as there are."""
    names = [str(i) for i in range(int(np.max(z, initial=0)) + 1)]
    clusters = [str(i) for i in range(max(3, int(np.max(c)) + 1))]
    day, n = attribute("day", z, names, "batch"), len(z)
    return answer(
        Question(rung, "day", (day,)),
        (day,),
        Pair(
            of=attribute("cluster", c, clusters, "label"),
            attribute=attribute("race", a, "vwxyz"),
            tested=np.ones(n, dtype=np.bool_),
            people=np.arange(n) if people is None else np.asarray(people),
            collection=None if collection is None else np.asarray(collection),
            order=np.arange(n),
        ),
        permutations=permutations,
        least=min(permutations, 99),
        confidence=0.95,
        rng=np.random.default_rng(1),
    )
