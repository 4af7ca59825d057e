"""A claim climbs until a question is answered no."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.claims.associations import correct_for_attributes
from fer_audit.audit.claims.rungs import climb
from fer_audit.audit.types.claims import Rung
from tests.audit.inputs import TABLE_ONE, association_of

STRONG = np.array([[60, 20], [20, 60]])


def rung(number: int, holds: bool | None) -> Rung:
    return Rung(number, "next", holds, None, None, None, None, 0, "")


def test_a_planted_association_reaches_rung_three() -> None:
    (association,) = correct_for_attributes([association_of(STRONG)])

    ladder = climb(association, alpha=0.05)

    assert [each.holds for each in ladder.rungs] == [True, True, True]
    assert [each.number for each in ladder.rungs] == [1, 2, 3]
    assert ladder.highest == 3


def test_the_papers_table_does_not_reach_rung_one() -> None:
    (association,) = correct_for_attributes([association_of(TABLE_ONE, permutations=2_000)])

    ladder = climb(association, alpha=0.05)

    assert [each.holds for each in ladder.rungs] == [False, False, False]
    assert ladder.highest == 0
    assert "V .090 is not above" in ladder.rungs[0].reading


@pytest.mark.parametrize(
    ("further", "highest"),
    [
        ([True, True], 5),
        ([False, True], 3),
        ([None, True], 3),
    ],
)
def test_further_rungs_count_until_one_does_not_hold(
    further: list[bool | None], highest: int
) -> None:
    (association,) = correct_for_attributes([association_of(STRONG)])
    above = [rung(4 + index, holds) for index, holds in enumerate(further)]

    assert climb(association, alpha=0.05, further=above).highest == highest


def test_a_table_of_one_group_climbs_nothing_and_says_why() -> None:
    (association,) = correct_for_attributes([association_of([[5], [4]])])

    ladder = climb(association, alpha=0.05)

    assert ladder.highest == 0
    for each in ladder.rungs:
        assert each.holds is None
        assert each.reading == "not computable: all images are in one group"


def test_holm_counts_the_demographic_attributes_only() -> None:
    strong = association_of(STRONG, permutations=999)
    batch = association_of(STRONG, permutations=999, kind="batch")
    empty = association_of([[0, 0], [0, 0]])

    found = correct_for_attributes([strong, batch, strong, empty])

    assert [each.p_holm for each in found] == pytest.approx([0.002, None, 0.002, None])
    assert dict(found[1].not_computable)["p_holm"]
    assert dict(found[3].not_computable)["p_holm"] == "no image has both a cluster and this label"


def test_an_association_below_the_corrected_alpha_falls_at_rung_three() -> None:
    (association,) = correct_for_attributes([association_of(STRONG)])

    ladder = climb(replace(association, p_holm=0.06), alpha=0.05)

    assert ladder.highest == 2
