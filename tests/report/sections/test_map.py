"""The map: its panels, their legends, and why there is none."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.blocks import MapPanel, Maps
from fer_audit.report.files.pictures import Pictures
from fer_audit.report.sections.clusters import the_map
from fer_audit.report.view import View
from tests.report.drawn_pictures import some_pictures
from tests.report.results import RACES, utkface
from tests.report.sections.reading import blocks_of, said


def panels(view: View) -> list[MapPanel]:
    (block,) = blocks_of(the_map(view), Maps)
    return list(block.make())


def test_the_map_says_what_its_points_are_and_how_they_are_laid_out() -> None:
    pictures = some_pictures()
    assert pictures.map is not None
    principal = replace(pictures, map=replace(pictures.map, method="pca", n=pictures.map.shown))

    assert "a random 7 of 9 images, laid out by UMAP" in said(the_map(View(utkface(), pictures)))
    whole = said(the_map(View(utkface(), principal)))
    assert "all 7 images that were embedded, laid out by the first two principal" in whole
    assert "which hold 11.8 % and 9.4 % of the variance" in whole
    assert "the other 78.8 %" in whole


def test_the_legend_gives_each_group_its_colour() -> None:
    pictures = some_pictures()
    assert pictures.map is not None
    colouring = replace(pictures.map.colourings[1], groups=RACES[2::-1])
    view = View(utkface(), Pictures(replace(pictures.map, colourings=(colouring,)), (), (), ()))

    (panel,) = panels(view)

    assert panel.chart.key == "map-race"
    assert dict(panel.legend) == {view.palette.group("race", name): name for name in RACES[:3]}


def test_a_legend_of_many_groups_names_the_first_the_middle_and_the_last() -> None:
    pictures = some_pictures()
    assert pictures.map is not None
    many = replace(pictures.map.colourings[1], groups=tuple(f"day {n}" for n in range(22)))
    points = replace(pictures.map, colourings=(many,))

    (panel,) = panels(View(utkface(), Pictures(points, (), (), ())))

    assert [group for _, group in panel.legend] == [
        "day 0",
        "day 11",
        "day 21",
        "22 in all, in this order",
    ]


def test_without_a_map_the_reason_is_said() -> None:
    pictures = replace(some_pictures(), map=None, missing=(("map", "there is one image"),))

    assert "No map: there is one image." in said(the_map(View(utkface(), pictures)))
    assert "No map: the run directory holds no pictures" in said(the_map(View(utkface())))


def test_a_colouring_that_is_missing_is_named() -> None:
    pictures = replace(some_pictures(), missing=(("map by day", "it has 99 groups"),))

    assert "No map by day: it has 99 groups." in said(the_map(View(utkface(), pictures)))
