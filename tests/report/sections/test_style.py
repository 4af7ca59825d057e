"""How much pictures differ between groups, and how much of the clusters is style."""

from __future__ import annotations

from fer_audit.report.sections.collection import style
from fer_audit.report.view import View
from tests.report.results import bare, degenerate, utkface
from tests.report.sections.reading import rows, said, sentences, tables

MATRIX = "How much pictures differ between groups"
BASELINE = "Clusters made of ten image-wide measures alone (brightness, colour, sharpness, ...)"


def test_each_measure_says_how_much_the_group_tells_and_what_may_be_chance() -> None:
    table = {row["measure"]: row for row in rows(style(View(utkface())), MATRIX)}

    assert table["brightness"]["race"] == ".083"
    assert table["brightness"]["gender"] == ".042"
    assert table["bytes per pixel"]["age"] == "–", "it is the same in all images"
    assert table["grey"]["age"] == "(.003)"


def test_the_largest_differences_are_put_into_words() -> None:
    text = sentences(style(View(utkface())))

    assert "brightness by race: lowest in White (median 96.2), highest in Other (132)." in text
    assert sum(" by " in each and "lowest in" in each for each in text) == 3


def test_every_test_is_in_the_details() -> None:
    section = style(View(utkface()))

    table = rows(section, "Style measures against every attribute")

    assert tables(section)["Style measures against every attribute"].importance == "detail"
    assert len(table) == 29
    assert list(table[0].values()) == [
        "brightness",
        "race",
        ".083",
        "≤ .001",
        "White (96.2)",
        "Other (132)",
    ]


def test_clusters_of_style_alone_stand_next_to_those_of_the_embedding() -> None:
    section = style(View(utkface()))

    table = rows(section, BASELINE)

    assert list(table[0].values()) == ["race", ".081 (.071-.093)", ".213", "38.2 %", "< .001"]
    assert "age: not computable (one style cluster)." in said(section)


def test_what_could_not_be_tested_says_why() -> None:
    assert "Style: not computable (no image has this label)." in said(style(View(degenerate())))
    assert style(View(bare())) is None
