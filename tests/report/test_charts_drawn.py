"""What each chart draws, read back from its artists: every bar, line, point and colour is the one of the result."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations
from typing import TypeVar

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from fer_audit.audit.types.claims import AssociationCell, Conditional, Ladder
from fer_audit.audit.types.composition import Intersections
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.map import map_png
from fer_audit.report.charts.palette import NEUTRAL, palette_of
from fer_audit.report.charts.theme import style
from fer_audit.report.files.pictures import MapColouring, MapPoints, Pictures, grid_of
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.view import View
from fer_audit.text import display
from tests.known import known
from tests.report.results import AGES, CROSS_TABLE, RACES, paper, representation, utkface

RESULT = utkface()
PALETTE = palette_of(RESULT)
TABLE = np.array(CROSS_TABLE).reshape(5, 2, 9)
"""Race, gender, age."""
GENDERS = ("male", "female")
Span = tuple[float, float]
Of = TypeVar("Of")


@pytest.fixture(scope="module")
def charts() -> dict[str, Chart]:
    return by_key(RESULT)


def by_key(result: AuditResult, pictures: Pictures | None = None) -> dict[str, Chart]:
    return {chart.key: chart for chart in charts_of(make_report(View(result, pictures)))}


def about(records: Iterable[Of], attribute: str) -> Of:
    """Return the one record of an attribute."""
    (found,) = (each for each in records if getattr(each, "attribute", "") == attribute)
    return found


def drawn(chart: Chart) -> Figure:
    with style():
        return chart.draw()


def only(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def bars(axes: Axes) -> list[Rectangle]:
    """Return the bars of all series, in the order drawn."""
    found = [bar for series in axes.containers for bar in series]
    return [bar for bar in found if isinstance(bar, Rectangle)]


def middle(bar: Rectangle) -> float:
    return float(bar.get_y() + bar.get_height() / 2)


def fill(artist: Rectangle) -> str:
    return to_hex(artist.get_facecolor())


def flat_lines(axes: Axes) -> dict[float, list[Span]]:
    """Return the ends of the horizontal lines of each row."""
    found: dict[float, list[Span]] = {}
    for each in axes.collections:
        if isinstance(each, LineCollection):
            for (x0, y0), (x1, y1) in np.asarray(each.get_segments(), np.float64):
                if y0 == y1:
                    found.setdefault(float(y0), []).append((float(x0), float(x1)))
    return found


def points(axes: Axes) -> dict[float, list[float]]:
    """Return x of the marks of each row; lines without marks are no points."""
    found: dict[float, list[float]] = {}
    for line in axes.lines:
        if line.get_linestyle() == "None":
            for x, y in np.asarray(line.get_xydata(), np.float64):
                found.setdefault(float(y), []).append(float(x))
    return found


def near(*values: float | None) -> object:
    """Return what a tuple of about these numbers is equal to."""
    return tuple(pytest.approx(value) for value in values)


def row_names(axes: Axes) -> dict[str, float]:
    labels = [label.get_text() for label in axes.get_yticklabels()]
    return dict(zip(labels, map(float, axes.get_yticks()), strict=True))


@pytest.mark.parametrize("attribute", ["race", "gender", "age"])
def test_a_composition_draws_each_share_with_its_interval_target_and_colour(
    charts: dict[str, Chart], attribute: str
) -> None:
    found = about(RESULT.representation, attribute)

    axes = only(drawn(charts[f"composition-{attribute}"]))

    rows = row_names(axes)
    assert list(rows) == [group.name for group in found.groups]
    by_row = {round(middle(bar)): bar for bar in bars(axes)}
    for group in found.groups:
        row = rows[group.name]
        bar = by_row[round(row)]
        assert bar.get_width() == pytest.approx(group.share)
        assert fill(bar) == PALETTE.group(attribute, group.name)
        assert flat_lines(axes)[row] == [near(group.low, group.high)]
        even = [pytest.approx(1 / len(found.groups))]
        assert points(axes).get(row, []) == ([] if attribute == "age" else even), "the even share"


def test_batches_have_no_chart_of_their_shares() -> None:
    days = representation("day", ("Monday", "Tuesday"), (70, 30), 0, kind="batch")

    assert "composition-day" not in by_key(RESULT.having(representation=(days,)))


def turned(order: tuple[int, ...]) -> Intersections:
    """Return the cross table of the result with its attributes in another order."""
    found = known(RESULT.intersections)
    names = ("race", "gender", "age_bin")
    groups = (RACES, GENDERS, AGES)
    return replace(
        found,
        attributes=tuple(names[axis] for axis in order),
        groups=tuple(groups[axis] for axis in order),
        counts=tuple(int(count) for count in TABLE.transpose(order).ravel()),
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_pyramid_has_the_first_group_left_and_the_second_right(order: tuple[int, ...]) -> None:
    result = RESULT.having(intersections=turned(order))

    figure = drawn(by_key(result)["age-pyramid"])

    assert row_names(figure.axes[0]).keys() == set(AGES)
    rows = row_names(figure.axes[0])
    titles = [axes.get_title().split("\n")[0] for axes in figure.axes]
    assert titles == list(RACES)
    for axes, block in zip(figure.axes, TABLE, strict=True):
        assert axes.get_title().endswith(f"\n{block.sum():,}")
        for side, sign in enumerate((-1, 1)):
            here = [bar for bar in bars(axes) if sign * bar.get_width() > 0]
            shares = {round(middle(bar)): sign * bar.get_width() for bar in here}
            assert {fill(bar) for bar in here} == {PALETTE.group("gender", GENDERS[side])}
            for age, count in zip(AGES, block[side], strict=True):
                assert shares.get(round(rows[age]), 0.0) == pytest.approx(count / block.sum())
            pale = {round(middle(bar)) for bar in here if (bar.get_alpha() or 1.0) < 1.0}
            counts = zip(AGES, block[side], strict=True)
            assert pale == {round(rows[age]) for age, n in counts if 0 < n < 30}


def test_the_key_of_a_pyramid_names_its_sides() -> None:
    figure = drawn(by_key(RESULT.having(intersections=turned((0, 1, 2))))["age-pyramid"])

    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    handles = [each for each in legend.legend_handles if isinstance(each, Rectangle)]
    assert texts == ["◀ male", "female ▶"]
    assert [fill(each) for each in handles] == [PALETTE.group("gender", name) for name in GENDERS]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_heat_map_writes_each_count_in_its_place_and_frames_the_small_ones(
    order: tuple[int, ...],
) -> None:
    result = RESULT.having(intersections=turned(order))

    axes = only(drawn(by_key(result)["intersections"]))

    rows = row_names(axes)
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert columns == list(AGES)
    written = {each.get_position(): each.get_text() for each in axes.texts}
    assert len(written) == TABLE.size
    frames = {}
    for each in axes.patches:
        assert isinstance(each, Rectangle)
        frames[round(each.get_x() + each.get_width() / 2), round(middle(each))] = each
    small, shades = set(), []
    for (race, gender, age), count in np.ndenumerate(TABLE):
        words = [RACES[race], GENDERS[gender]]
        if order.index(0) > order.index(1):
            words.reverse()
        place = (age, round(rows[" · ".join(words)]))
        assert written[place] == (f"{count:,}" if count else "empty")
        if count < 30:
            small.add(place)
            assert (frames[place].get_hatch() is not None) == (count == 0)
        shades.append((count, np.asarray(axes.images[0].get_alpha())[place[1], place[0]]))
    assert frames.keys() == small
    assert [shade for _, shade in sorted(shades)] == sorted(shade for _, shade in shades)


def with_own_intervals(result: AuditResult) -> AuditResult:
    """Return a result in which no two lifts have the same interval."""

    def own(x: AssociationCell) -> AssociationCell:
        return replace(x, lift_low=0.9 * x.lift, lift_high=1.2 * x.lift) if x.lift else x

    found = (replace(each, cells=tuple(map(own, each.cells))) for each in result.associations)
    return result.having(associations=tuple(found))


@pytest.mark.parametrize("cluster", range(4))
@pytest.mark.parametrize("result", [utkface(), paper()], ids=["utkface", "paper"])
def test_a_lift_stands_at_its_value_in_the_colour_of_its_group(
    result: AuditResult, cluster: int
) -> None:
    result = with_own_intervals(result)
    palette = palette_of(result)

    axes = only(drawn(by_key(result)[f"lifts-{cluster}"]))

    rows = row_names(axes)
    colours = {
        float(np.asarray(line.get_ydata())[0]): (line.get_markeredgecolor(), line.get_color())
        for line in axes.lines
        if line.get_linestyle() == "None"
    }
    strokes = {
        float(each.get_segments()[0][0][1]): to_hex(np.asarray(each.get_color())[0])
        for each in axes.collections
        if isinstance(each, LineCollection)
    }
    seen = 0
    for each in result.associations:
        for cell in each.cells:
            if each.kind != "demographic" or cell.cluster != cluster:
                continue
            seen += 1
            row = rows[cell.group]
            if not cell.lift:
                assert row not in points(axes)
                continue
            ink = NEUTRAL if cell.too_few else palette.group(each.attribute, cell.group)
            assert points(axes)[row] == [pytest.approx(cell.lift)]
            assert flat_lines(axes)[row] == [near(cell.lift_low, cell.lift_high)]
            assert colours[row] == (ink, ink)
            assert strokes[row] == ink
    assert seen == len(rows)


@pytest.mark.parametrize("cluster", range(4))
def test_a_style_profile_draws_each_difference_with_its_sign(
    charts: dict[str, Chart], cluster: int
) -> None:
    known = [
        each
        for each in RESULT.cluster_styles
        if each.cluster == cluster and each.difference is not None
    ]

    axes = only(drawn(charts[f"style-{cluster}"]))

    rows = row_names(axes)
    assert list(rows) == [display(each.measure) for each in known]
    for bar, each in zip(bars(axes), known, strict=True):
        row = rows[display(each.measure)]
        assert middle(bar) == pytest.approx(row)
        assert bar.get_x() == 0
        assert bar.get_width() == pytest.approx(each.difference)
        assert fill(bar) == PALETTE.cluster(cluster)
        assert flat_lines(axes)[row] == [near(each.low, each.high)]


def test_every_cluster_has_its_similarity_in_its_colour(charts: dict[str, Chart]) -> None:
    axes = only(drawn(charts["cluster-stability"]))

    rows = row_names(axes)
    for bar, each in zip(bars(axes), known(RESULT.stability).clusters, strict=True):
        assert middle(bar) == pytest.approx(rows[f"cluster {each.cluster}"])
        assert bar.get_width() == pytest.approx(each.jaccard)
        assert fill(bar) == PALETTE.cluster(each.cluster)


def test_the_elbow_marks_the_k_of_the_report(charts: dict[str, Chart]) -> None:
    assert RESULT.clustering is not None

    line, mark = only(drawn(charts["elbow"])).lines[:2]

    sweep = [(entry.k, entry.inertia) for entry in RESULT.clustering.sweep]
    assert np.asarray(line.get_xydata()).tolist() == [list(map(float, each)) for each in sweep]
    assert np.asarray(mark.get_xydata()).tolist() == [[4.0, RESULT.clustering.inertia]]


Drawn = tuple[list[float], list[Span], list[Span]]


def on_row(axes: Axes, row: float) -> Drawn:
    """Return the points, intervals and grey bands of a row."""
    bands = [
        (float(bar.get_x()), float(bar.get_x() + bar.get_width()))
        for bar in bars(axes)
        if middle(bar) == pytest.approx(row)
    ]
    return points(axes).get(row, []), flat_lines(axes).get(row, []), bands


def close(here: Drawn, there: Drawn) -> bool:
    return [len(each) for each in here] == [len(each) for each in there] and all(
        np.allclose(np.array(one, np.float64), np.array(other, np.float64))
        for one, other in ((here[0], there[0]), (here[1], there[1]), (here[2], there[2]))
    )


def kept_rows(claim: Ladder, number: int) -> list[Drawn]:
    """Return the three questions of a rung that leave least, those without an answer first."""
    asked = [each for each in claim.conditionals if each.rung == number]
    least = sorted(asked, key=lambda each: -np.inf if each.kept is None else each.kept)[:3]
    return [_kept(each) for each in asked if each in least]


def _kept(each: Conditional) -> Drawn:
    if each.kept is None:
        return [], [], []
    band = [] if each.detail else [(known(each.null_low), known(each.null_high))]
    return [each.kept], [(known(each.low), known(each.high))], band


@pytest.mark.parametrize("attribute", ["race", "gender", "age"])
def test_a_ladder_draws_v_then_corrected_v_then_what_is_kept(
    charts: dict[str, Chart], attribute: str
) -> None:
    found = about(RESULT.associations, attribute)
    claim = about(RESULT.ladders, attribute)
    variants = about(known(RESULT.stability).attributes, attribute)

    left, right = drawn(charts[f"ladder-{attribute}"]).axes

    rows = {int(name.split()[1]): row for name, row in row_names(left).items()}
    assert found.v is not None
    assert close(on_row(left, rows[1]), ([found.v], [], [(0.0, known(found.null_95))]))
    assert found.v_corrected is not None
    assert found.v != found.v_corrected
    chances = [] if found.v_corrected_null_95 is None else [(0.0, found.v_corrected_null_95)]
    assert close(
        on_row(left, rows[2]),
        ([found.v_corrected], [(known(found.low), known(found.high))], chances),
    )
    for number in (4, 5, 6):
        expected = kept_rows(claim, number)
        assert rows[number + 1] - rows[number] == len(expected)
        for place, each in enumerate(expected):
            assert close(on_row(right, rows[number] + place), each), (number, place)
            assert close(on_row(left, rows[number] + place), ([], [], []))
    half = (variants.half_v, variants.half_low, variants.half_high, variants.half_null_95)
    value, low, high, chance = (0.0 if each is None else each for each in half)
    assert close(on_row(left, rows[8]), ([value], [(low, high)], [(0.0, chance)]))


@pytest.mark.parametrize("attribute", ["race", "gender"])
def test_the_rung_of_stability_spans_the_other_seeds(
    charts: dict[str, Chart], attribute: str
) -> None:
    found = about(known(RESULT.stability).attributes, attribute)
    values = [each.v_corrected for each in found.seeds]

    left, _ = drawn(charts[f"ladder-{attribute}"]).axes

    rows = {int(name.split()[1]): row for name, row in row_names(left).items()}
    spans = [end for row in (rows[7], rows[7] + 1) for end in flat_lines(left).get(row, [])]
    assert near(min(values), max(values)) in spans


def test_a_ladder_marks_each_rung_by_its_answer() -> None:
    claim = RESULT.ladders[0]
    answers = (True, False, None, True, False, True, True, None)
    rungs = [replace(rung, holds=held) for rung, held in zip(claim.rungs, answers, strict=True)]
    rungs[5] = replace(rungs[5], skipped=True)
    result = RESULT.having(ladders=(replace(claim, rungs=tuple(rungs)),))

    left, _ = drawn(by_key(result)[f"ladder-{claim.attribute}"]).axes

    assert [name.split()[:2] for name in row_names(left)] == [
        [mark, str(number)] for number, mark in enumerate("✓✗?✓✗○✓?", start=1)
    ]


@pytest.mark.parametrize("attribute", ["race", "gender", "age"])
def test_a_sweep_draws_corrected_v_of_every_k_over_what_chance_gives(
    charts: dict[str, Chart], attribute: str
) -> None:
    found = about(known(RESULT.stability).attributes, attribute)

    axes = only(drawn(charts[f"sweep-{attribute}"]))

    line, seeds = axes.lines
    wanted = [[each.k, each.v_corrected] for each in found.ks if each.k > 1]
    assert np.allclose(np.asarray(line.get_xydata()), wanted)
    others = [[each.k, each.v_corrected] for each in found.seeds]
    assert np.allclose(np.asarray(seeds.get_xydata()), others)
    (band,) = (each for each in axes.collections if isinstance(each, PolyCollection))
    corners = np.asarray(band.get_paths()[0].vertices)
    tops = [corners[corners[:, 0] == each.k, 1].max() for each in found.ks if each.k > 1]
    assert np.allclose(tops, [each.null_95 for each in found.ks if each.k > 1])


@pytest.mark.parametrize("attribute", ["race", "age"])
def test_a_replay_counts_the_corrected_v_of_every_study(
    charts: dict[str, Chart], attribute: str
) -> None:
    found = about(known(RESULT.replay).attributes, attribute)
    values = np.array(found.v_corrected_studies)

    axes = only(drawn(charts[f"replay-{attribute}"]))

    (series,) = axes.containers
    columns = [bar for bar in series if isinstance(bar, Rectangle)]
    heights = [bar.get_height() for bar in columns]
    edges = np.array([bar.get_x() for bar in columns] + [values.max()])
    assert edges[0] == pytest.approx(values.min())
    assert columns[-1].get_x() + columns[-1].get_width() == pytest.approx(values.max())
    edges[[0, -1]] += [-1e-9, 1e-9]
    assert heights == np.histogram(values, edges)[0].tolist()
    assert sum(heights) == found.studies
    (ground,) = (each for each in axes.patches if each not in columns)
    assert isinstance(ground, Rectangle)
    assert (ground.get_x(), ground.get_x() + ground.get_width()) == near(
        found.v_corrected_low, found.v_corrected_high
    )


def test_a_replay_shows_the_whole_set_and_the_studies_of_its_k_and_size() -> None:
    assert RESULT.replay is not None
    (paper_value,) = RESULT.published
    published = (
        replace(paper_value, n=501, v_corrected=0.02),
        replace(paper_value, k=5, v_corrected=0.03),
        replace(paper_value, attribute="age", v_corrected=0.04),
        paper_value,
    )
    attributes = [replace(each, v_full=0.123) for each in RESULT.replay.attributes]
    replayed = replace(RESULT.replay, attributes=tuple(attributes))

    axes = only(drawn(by_key(RESULT.having(published=published, replay=replayed))["replay-race"]))

    lines = [(line.get_linestyle(), float(np.asarray(line.get_xdata())[0])) for line in axes.lines]
    assert sorted(lines) == [("-", 0.123), ("--", paper_value.v_corrected)]


def a_map() -> MapPoints:
    """Return points far apart, at uneven distances, of every cluster and race, the races in an order of their own."""
    at = [(0, 0), (10, 0), (0, 6), (10, 6), (3, 1), (7, 4), (4, 5), (6, 2), (1, 3), (8.5, 1.5)]
    box, grid = grid_of(np.array(at, np.float32))
    races = RACES[::-1]
    codes = np.array([0, 1, 2, 3, 4, -1, 3, 0, 2, 1], np.int16)
    clusters = np.array([3, 2, 1, 0, 0, 1, 2, 3, 1, -1], np.int16)
    return MapPoints(
        "pca",
        (),
        len(at),
        box,
        np.arange(len(at), dtype=np.int32),
        grid,
        (
            MapColouring("cluster", "cluster", ("0", "1", "2", "3"), clusters),
            MapColouring("race", "demographic", races, codes),
        ),
    )


def inks(colouring: MapColouring) -> list[str]:
    """Return the colour each point must have."""
    return [
        NEUTRAL
        if code < 0
        else PALETTE.cluster(code)
        if colouring.kind == "cluster"
        else PALETTE.group(colouring.name, colouring.groups[code])
        for code in colouring.codes.tolist()
    ]


@pytest.mark.parametrize("place", [0, 1], ids=["cluster", "race"])
def test_every_point_of_a_map_has_the_colour_of_its_own_group(place: int) -> None:
    found = a_map()
    colouring = found.colourings[place]
    charts = by_key(RESULT, Pictures(found, (), (), ()))

    figure = drawn(charts[f"map-{colouring.name}"])

    (scatter,) = only(figure).collections
    assert isinstance(scatter, PathCollection)
    offsets = np.asarray(scatter.get_offsets(), np.float64)
    colours = [to_hex(each) for each in np.asarray(scatter.get_facecolor())]
    here, there = (
        {(round(x, 3), round(y, 3)): ink for (x, y), ink in zip(at.tolist(), of, strict=True)}
        for at, of in ((offsets, colours), (found.points, inks(colouring)))
    )
    assert here == there
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == list(colouring.groups)


@pytest.mark.parametrize("place", [0, 1], ids=["cluster", "race"])
def test_the_picture_of_a_map_has_each_point_in_its_place_and_colour_on_no_ground(
    place: int,
) -> None:
    found = a_map()
    colouring = found.colourings[place]

    data = map_png(found, colouring, PALETTE)

    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    ys, xs = np.nonzero(pixels[..., 3])
    low, high = found.points.min(axis=0), found.points.max(axis=0)
    across = xs.min() + (found.points[:, 0] - low[0]) / (high - low)[0] * (xs.max() - xs.min())
    down = ys.max() - (found.points[:, 1] - low[1]) / (high - low)[1] * (ys.max() - ys.min())
    far = np.hypot(xs[:, None] - across, ys[:, None] - down)
    owner = far.argmin(axis=1)
    assert set(owner.tolist()) == set(range(found.shown)), "every point can be seen"
    assert far.min(axis=1).max() < 4, "nothing is drawn between the points"
    assert len(xs) < 0.01 * pixels[..., 3].size, "the ground is transparent"
    expected = inks(colouring)
    for point, (red, green, blue, opacity) in zip(owner, pixels[ys, xs].tolist(), strict=True):
        assert f"#{red:02x}{green:02x}{blue:02x}" == expected[point]
        assert opacity == 255
