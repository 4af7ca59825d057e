"""Other seeds, each cluster in resamples, the sweep over k, the held-out half."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import Bar, Section
from fer_audit.report.sections.stability import stability
from fer_audit.report.view import View
from tests.report.results import bare, degenerate, utkface
from tests.report.sections.reading import rows, said, tables

SWEEP = "Each attribute in other partitions"


def shown(result: AuditResult) -> Section:
    section = stability(View(result))
    assert section is not None
    return section


def test_seeds_agree_as_far_as_their_index_says() -> None:
    assert "9 other seeds: two partitions agree with ARI .981 (median; .412-1.000)" in said(
        shown(utkface())
    )
    assert "Other seeds: not computable (no other seed)." in said(shown(degenerate()))


def test_a_cluster_that_does_not_come_back_is_called_unstable_and_greyed() -> None:
    section = shown(utkface())

    table = rows(section, "Does each cluster come back?")

    assert table[2] == {
        "cluster": "2",
        "images": "5,190",
        "Jaccard": ".412",
        "comes back in resamples": "✗ unstable: nothing rests on it",
    }
    assert table[0]["comes back in resamples"] == "✓ stable"
    assert tables(section)["Does each cluster come back?"].faint == {2}


def test_the_sweep_shows_each_k_with_what_chance_gives() -> None:
    section = shown(utkface())

    table = {row["k"]: row for row in rows(section, SWEEP)}

    assert table["2"]["race"] == ".000 / .013 ✗"
    assert table["4 ◀ used"]["race"] == ".213 / .016"
    assert table["other seeds"]["race"] == ".214-.222 / .015"
    assert table["held-out half"]["race"] == ".209 (.192-.226), p < .001"
    bars = [cell for cell in tables(section)[SWEEP].rows[0] if isinstance(cell, Bar)]
    assert [bar.target for bar in bars] == pytest.approx([0.013] * 3)
    assert len({bar.full for bar in bars}) == 1


def test_each_other_seed_is_in_the_details() -> None:
    section = shown(utkface())

    table = rows(section, "Each other seed")

    assert tables(section)["Each other seed"].importance == "detail"
    assert len(table) == 27
    assert list(table[0].values()) == ["race", "4", "1", ".214", ".015"]


def test_an_attribute_without_other_seeds_says_nothing_of_them() -> None:
    base = utkface()
    assert base.stability is not None
    alone = tuple(replace(each, seeds=()) for each in base.stability.attributes)

    section = shown(base.having(stability=replace(base.stability, attributes=alone)))

    last = [row["k"] for row in rows(section, SWEEP)][-2:]
    assert last == ["10", "held-out half"]
    assert "Each other seed" not in tables(section)


def test_what_was_not_measured_has_no_section() -> None:
    assert stability(View(bare())) is None
