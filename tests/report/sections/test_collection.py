"""What the batch of an image says of who is in it."""

from __future__ import annotations

from fer_audit.report.sections.collection import collection
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said


def test_batches_are_judged_by_the_images_they_have_not_seen() -> None:
    (row,) = rows(
        collection(View(utkface())), "Guessing an attribute from the batch or part alone"
    )

    assert row == {
        "attribute": "race",
        "from": "crawl hour",
        "V~": ".388",
        "guessed right": "75.5 % (17,602)",
        "from the others": "74.1 %",
        "largest group": "42.5 % White",
        "shuffled": "43.2 %",
        "p": "≤ .001",
    }


def test_what_cannot_be_guessed_says_why() -> None:
    assert "gender from crawl hour: not computable (one batch only)." in said(
        collection(View(utkface()))
    )


def test_a_set_without_batches_has_no_section() -> None:
    assert collection(View(bare())) is None
