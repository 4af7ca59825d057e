"""Does the audit keep its word? Fewer runs of what docs/audit.md tells in a table; see benchmarks/calibration.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.calibration import (
    ALPHA,
    Rate,
    crawl,
    families,
    lag,
    people,
    planted,
    planted_in,
    shuffled,
    style,
)
from fer_audit.audit.stats.tables import cross_table
from tests.audit.inputs import association_of

Rates = dict[tuple[str, int, str], Rate]


def by_name(found: Iterator[Rate]) -> Rates:
    return {(each.label, each.n, each.question): each for each in found}


def share(rate: Rate) -> float:
    return rate.yes / rate.runs


def keeps_to(rate: Rate, alpha: float = ALPHA) -> bool:
    """Whether a rate is alpha or less, give or take three standard errors."""
    return share(rate) <= alpha + 3 * float(np.sqrt(alpha * (1 - alpha) / rate.runs))


@pytest.mark.parametrize("v", [0.05, 0.1, 0.2])
def test_what_is_planted_is_what_is_measured(v: float) -> None:
    rng = np.random.default_rng(0)
    clusters = rng.choice(4, 200_000, p=[0.4, 0.3, 0.2, 0.1])

    table = cross_table(clusters, planted_in(clusters, v, rng), n_rows=4, n_cols=5)

    assert association_of(table).v == pytest.approx(v, abs=0.005)


@pytest.mark.slow
def test_shuffled_labels_pass_as_often_as_alpha_says() -> None:
    """From above for every question; the test of rung 3 is exact, so from below too."""
    found = by_name(shuffled(100))

    for (_, _, question), rate in found.items():
        assert keeps_to(rate), (question, rate)
    third = [rate for (_, _, question), rate in found.items() if question == "rung 3: p"]
    runs = sum(rate.runs for rate in third)
    assert sum(rate.yes for rate in third) / runs == pytest.approx(
        ALPHA, abs=3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
    )


@pytest.mark.slow
def test_labels_that_follow_only_the_crawl_pass_rung_six_at_most_as_often_as_alpha_says() -> None:
    """The finest column that they follow holds them; what does not fix them does not."""
    found = by_name(crawl(60))

    for (label, n, question), rate in found.items():
        if question.startswith("rung 6") or question == "p given hour":
            assert keeps_to(rate), (label, n, question)
    assert share(found["follows the hour only", 23_704, "p given day"]) > 0.5
    assert share(found["follows the hour only", 23_704, "rungs 1 to 3"]) > 0.9


@pytest.mark.slow
def test_labels_of_other_images_of_the_hour_are_a_trace_and_their_own_are_not() -> None:
    found = by_name(lag(10))

    graded = {
        (label, question): share(rate)
        for (label, _, question), rate in found.items()
        if question.startswith("graded")
    }
    assert graded["of the image 0 later", "graded most"] == 1
    assert graded["of the image 50 later", "graded trace"] == 1
    assert (
        graded["of the image 5 later", "graded trace"]
        + graded["of the image 5 later", "graded little"]
        == 1
    )


@pytest.mark.slow
def test_labels_that_follow_only_style_seldom_pass_rung_five() -> None:
    """Strata of a model of style are not exact: the rate is the one that the docs tell, not alpha."""
    found = by_name(style(40))

    for (label, n, question), rate in found.items():
        if question.startswith("rung 5"):
            assert keeps_to(rate, 0.1), (label, n, question)
    assert share(found["style_clusters", 3_000, "rungs 1 to 3"]) > 0.8


@pytest.mark.slow
def test_people_of_many_images_are_shuffled_as_people_where_they_are_known() -> None:
    found = by_name(people(200))

    for (label, _, question), rate in found.items():
        if question == "rungs 1 to 3":
            assert keeps_to(rate) if label.endswith(", named") else share(rate) > 0.3, label


@pytest.mark.slow
def test_what_is_there_is_found_in_enough_images() -> None:
    found = by_name(planted(80))

    assert share(found["planted V 0.2", 500, "rungs 1 to 3"]) > 0.9
    for rung in (4, 5, 6):
        assert share(found["planted V 0.1", 23_704, f"rung {rung} holds"]) > 0.9
        assert share(found["planted V 0.2", 23_704, f"rung {rung}: part or most"]) > 0.9


@pytest.mark.slow
def test_many_attributes_together_pass_no_more_often_than_one() -> None:
    for rate in families(15):
        assert keeps_to(rate), rate
