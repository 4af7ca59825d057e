"""What the page says of near-identical photos."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.audit.types.copies import Disagreement, NearDuplicates
from fer_audit.report.sections.copies import copies
from fer_audit.report.view import View
from tests.report.results import utkface

FOUND = NearDuplicates(
    *(23_317, 582, 1_205, 670, 652, 0.97008, 0.9501, "chosen", 0.9208, True),
    (
        Disagreement("race", 652, 62, 62 / 652, 60),
        Disagreement("age", 652, 196, 196 / 652, 190, 5),
    ),
    (("a.jpg", "b.jpg"),),
)


def test_near_identical_photos_are_counted_compared_and_their_list_is_named() -> None:
    text = str(copies(View(utkface().having(near_duplicates=FOUND))))

    assert (
        "1,205 images in 582 groups of near-identical photos; their pixels confirm 97.3 % (652 of 670) of the pairs."
        in text
    )
    assert "cosine from 0.970 (chosen)" in text
    assert "All are listed in lists/near_duplicates.csv." in text
    assert "Age (by 5 years or more)" in text or "age (by 5 years or more)" in text
    assert "a.jpg, b.jpg" in text


def test_a_set_without_any_says_so_and_one_that_was_not_compared_does_not() -> None:
    none = replace(FOUND, groups=0, images=0, pairs=0, confirmed=0, disagreements=(), examples=())

    assert "No two images are near-identical." in str(
        copies(View(utkface().having(near_duplicates=none)))
    )
    assert "near-identical" not in str(copies(View(utkface())))
