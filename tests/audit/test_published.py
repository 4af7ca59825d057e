"""What the origin study says stands beside an audit of UTKFace, and of no other set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_audit.audit.claims.replay import TABLE, published_values
from fer_audit.config import AuditConfig
from tests.audit.inputs import RACES, TABLE_ONE, attribute, audit_dataset, dataset_of, rows_of


def test_the_published_values_are_the_golden_ones() -> None:
    faces = replace(dataset_of(attribute("race", [0], RACES)), format="utkface")

    (found,) = published_values(faces)

    assert found.source == "The origin study: 500 UTKFace images, K-Means k = 4, its Table I"
    assert (found.attribute, found.n, found.k) == ("race", 500, 4)
    assert found.v == pytest.approx(0.09007, abs=5e-6)
    assert found.v_corrected == pytest.approx(0.00982, abs=5e-6)
    assert found.p == pytest.approx(0.43230, abs=5e-6)


def test_the_table_is_the_papers() -> None:
    assert TABLE_ONE.tolist() == [list(row) for row in TABLE]


def test_nothing_is_published_on_any_other_set() -> None:
    faces = dataset_of(attribute("race", [0], RACES))

    assert published_values(faces) == ()
    assert published_values(replace(faces, format="table")) == ()


def test_a_set_without_race_is_not_spoken_of() -> None:
    assert published_values(replace(dataset_of(n=1), format="utkface")) == ()


def test_the_audit_of_utkface_carries_them() -> None:
    faces = replace(dataset_of(attribute("race", [0, 1], RACES)), format="utkface")

    found = audit_dataset(faces, rows_of(2), config=AuditConfig.of(permutations=19, bootstraps=9))

    assert found.published == published_values(faces)
