"""What the report says of the upper half of an audit: what is left of a claim, stability, style, latent space, replays."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fer_audit.audit.types.claims import Ladder
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.space import LatentOverlap, PairOverlap
from fer_audit.report.bars import interval, scale
from fer_audit.report.files.document import parse_result, result_json
from fer_audit.report.gaps import gaps
from fer_audit.report.terminal import terminal_report
from fer_audit.text import measured, percent_span
from tests.report import results
from tests.report.results_upper import asked, silent

NEW = ("stability", "style_tests", "style_baselines", "latent", "replay", "recluster", "gate")


def shown(result: AuditResult, width: int = 160) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, legacy_windows=False)
    console.print(terminal_report(result))
    return stream.getvalue()


@cache
def utkface_shown(width: int = 160) -> str:
    return shown(results.utkface(), width)


def section(text: str, title: str) -> str:
    return text.split(f"── {title}")[1].split("\n── ")[0]


def flat(text: str) -> str:
    return " ".join(text.split())


def one_ladder(ladder: Ladder) -> str:
    return shown(results.paper().having(ladders=(ladder,)))


def test_sections_stand_in_the_order_of_their_weight() -> None:
    titles = [
        "Verdict",
        "Does it pass the gate?",
        "Who is in the set?",
        "Which combinations are missing?",
        "Who is in each cluster?",
        "Do clusters and people go together?",
        "Would another seed or another k say the same?",
        "Are groups photographed differently?",
        "Does the way images were collected give people away?",
        "Do groups have places of their own in the latent space?",
        "Would a small study have said the same?",
        "Are there duplicates?",
        "How was this computed?",
    ]

    places = [utkface_shown().index(f"── {title}") for title in titles]

    assert places == sorted(places)


def test_an_audit_without_the_upper_half_has_no_empty_sections() -> None:
    text = shown(results.bare())

    for word in ("gate", "seed", "photographed", "latent", "small study", "resample"):
        assert word not in text


@pytest.mark.parametrize("width", [80, 160])
def test_each_gate_rule_is_crossed_kept_or_without_value(width: int) -> None:
    text = flat(section(utkface_shown(width), "Does it pass the gate?"))

    assert "1 of 3 rules crossed: the run ends with exit code 1." in text
    assert "✗ crossed race.v_corrected>0.2 0.2127" in text
    assert "✓ kept dataset.failed>5 1 " in text
    assert "? no value age.balance<0.1 –" in text
    assert "has no value in this run" in text


def test_what_is_left_of_a_claim_stands_beside_its_strata_and_its_interval() -> None:
    text = flat(utkface_shown())

    assert "✓4 gender × age 18 of 18 23,298 of 23,314 97.3 % " in text
    assert "84.1 % (79.4-89.3) < .001" in text
    assert re.search(
        r"✗6 crawl hour 97 of 213 22,871 of 23,314 31.8 % ●━+ │ 2.1 % \(-2.6 to 7.3\) .620", text
    )
    assert "✓ grey × image_size (asked for)" in text
    assert "lost most: 97.9 % given crawl hour · 15.9 % given gender × age" in text


def test_of_many_questions_only_those_that_leave_least_are_shown() -> None:
    text = flat(utkface_shown())

    assert "... and 8 further questions of rung 5 in result.json: they keep 95.3-101.3 %." in text
    assert "✓5 sharpness" in text
    assert "✓5 border_red" not in text


def test_strata_without_information_are_said() -> None:
    text = flat(utkface_shown())

    assert "?6 gender × age × crawl hour 0 of 17 0 of 40 – – no information –" in text
    assert "? gender × age × crawl hour: not computable (no stratum holds two clusters" in text


def test_a_skipped_rung_is_neither_a_failure_nor_a_gap() -> None:
    base = results.ladder("race", (True,) * 8, "reading")
    rungs = tuple(
        replace(rung, holds=None, skipped=True, reading="skipped: no batch") if rung.number == 6 else rung
        for rung in base.rungs
    )  # fmt: skip
    skipped = replace(base, rungs=rungs, highest=8)

    text = one_ladder(skipped)

    assert "✓1─✓2─✓3─✓4─✓5─○6─✓7─✓8  8 of 8" in text
    assert "○ skipped, nothing to ask" in text
    assert gaps(results.bare().having(ladders=(skipped,))) == ()


def test_a_claim_of_which_nothing_is_lost_says_so() -> None:
    base = asked(results.ladder("race", (True,) * 8, "reading"), ("gender",), 0.9)

    answered = tuple(each for each in base.conditionals if each.kept is not None)
    every = one_ladder(replace(base, conditionals=answered, lost=(("gender", -0.01),)))
    not_every = flat(one_ladder(replace(base, lost=(("gender", -0.01),))))

    assert "Nothing is lost, whatever is held fixed." in every
    assert "whatever is held fixed" not in not_every
    assert (
        "Nothing is lost in the questions that have an answer; 1 question has none." in not_every
    )


def test_questions_that_none_can_answer_are_counted() -> None:
    base = asked(results.ladder("race", (True,) * 8, "reading"), ("gender",), 0.9)
    many = tuple(silent("race", 5, (name,), "one stratum") for name in "abcde")

    text = flat(one_ladder(replace(base, conditionals=(*many, base.conditionals[0]))))

    assert "... and 2 further questions of rung 5 in result.json." in text
    assert "a, b, c: not computable (one stratum)" in text


def test_a_claim_with_nothing_to_keep_has_no_table() -> None:
    base = results.ladder("race", (True,) * 8, "reading")
    none = tuple(silent("race", rung, ("hour",), "at chance") for rung in (4, 6))

    text = flat(one_ladder(replace(base, conditionals=none)))

    assert "? race not computable (at chance)" in text
    assert "images alike in" not in text


def test_a_question_without_an_answer_is_one_gap_and_its_rung_none() -> None:
    base = results.ladder("race", (True, True, True, None, True, True, True, True), "reading")
    asked_once = replace(base, conditionals=(silent("race", 4, ("hour",), "one stratum"),))

    found = gaps(results.bare().having(ladders=(asked_once,)))

    assert [(gap.where, gap.reason) for gap in found] == [("race, what is kept", "one stratum")]


def test_the_intervals_are_drawn_on_a_narrow_terminal_too() -> None:
    text = utkface_shown(80)

    assert re.search(r"of 18 +of 23,314 +━+●━", text)


@pytest.mark.parametrize("width", [80, 160])
def test_unstable_clusters_are_called_so_wherever_they_stand(width: int) -> None:
    text = utkface_shown(width)
    tables = section(text, "Who is in each cluster?")

    assert tables.count("unstable") == 4, "one in each table; the note above is capitalised"
    assert "Unstable clusters do not come back" in tables
    assert re.search(r"2 +5,190 +█+. +\.412 +unstable: nothing rests on it", text)


def test_unstable_clusters_are_dimmed_too() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=160, color_system="truecolor", force_terminal=True)
    console.print(terminal_report(results.utkface()))

    assert re.search(r"\x1b\[2m[^\n]*unstable: nothing rests on it", stream.getvalue())


@pytest.mark.parametrize("width", [80, 160])
def test_the_sweep_shows_each_k_beside_its_null(width: int) -> None:
    text = flat(section(utkface_shown(width), "Would another seed"))

    assert "9 other seeds: two partitions agree with ARI .981 (median; .412-1.000)" in text
    assert ".000 / .013 ✗" in text
    assert "4 ◀ used" in text
    assert ".213 / .016" in text
    assert ".209 (.192-.226)" in text


def test_an_attribute_without_other_seeds_says_nothing_of_them() -> None:
    base = results.utkface()
    assert base.stability is not None
    alone = tuple(replace(each, seeds=()) for each in base.stability.attributes)

    text = shown(base.having(stability=replace(base.stability, attributes=alone)))

    assert not re.search(r"^  other +\.", text, re.MULTILINE)
    assert re.search(r"^  held-out +\.209", text, re.MULTILINE)


def test_style_tells_how_much_where_and_what_is_chance() -> None:
    text = flat(section(utkface_shown(), "Are groups photographed differently?"))

    assert re.search(r"luma_mean █+ .083 █+ .042 ", text)
    assert "(.003)" in text
    assert "luma_mean by race: lowest in White (median 96.2), highest in Other (132)." in text
    assert "race .081 (.071-.093) .213 38.2 % < .001" in text
    assert "? age not computable (one style cluster)" in text


def test_batches_are_judged_by_the_images_they_have_not_seen() -> None:
    text = flat(section(utkface_shown(), "Does the way images were collected"))

    assert "race crawl hour .388 75.5 % (17,602) 74.1 % 42.5 % White 43.2 % .001" in text


@pytest.mark.parametrize("width", [80, 160])
def test_the_latent_section_states_its_subsample(width: int) -> None:
    text = flat(section(utkface_shown(width), "Do groups have places"))

    assert "(3,000 of 23,317 images, 128 principal coordinates)" in text
    assert "Other 12 too few to say – – –" in text
    assert "White · (.530) .590 .650" in text
    assert "Indian 0.41 0.51 0.56 ·" in text
    assert "male and female (.530) 0.31" in text


def test_of_many_pairs_the_most_different_are_shown() -> None:
    names = [f"group {index:02d}" for index in range(14)]
    pairs = tuple(
        PairOverlap("first", name, 40, 40, 0.5 + 0.03 * i, 0.5, 0.55, 0.005, 0.005, 199, 1.0, 0.1)
        for i, name in enumerate(names)
    )
    overlap = LatentOverlap("job", 600, 600, 128, 10, 0.2, 0.1, 0.001, 999, (), pairs)

    text = flat(shown(results.bare().having(latent=(overlap,))))

    assert "first and group 13 .890" in text
    assert "group 08" not in text
    assert "The 5 most different of 14 pairs; see result.json." in text


def test_small_studies_stand_beside_the_whole_set() -> None:
    text = flat(section(utkface_shown(), "Would a small study"))

    assert "200 random samples of 500 images" in text
    assert re.search(r"race ━+●━*│━+ .184 \(.081-.292\) .213 0.5 % 34.5 % 91.5 % \(yes\)", text)
    assert "? gender not computable (no study has two clusters and two groups)" in text
    assert "age 50 .250 (.230-.301) .209 (.161-.247)" in text


def test_reclustering_without_replays_has_its_own_title() -> None:
    text = shown(results.utkface().having(replay=None))

    assert "How sure is it when the clusters are made again?" in text


def test_combinations_beyond_pairs_and_what_to_collect() -> None:
    text = flat(section(utkface_shown(), "Which combinations are missing?"))

    assert "Asian × female × 0-2 412 351.9 +5.2 < .001" in text
    assert "Other × male × 70+ 0 24.9 -5.0 74,125" in text


def test_a_cross_table_that_was_refused_says_why() -> None:
    base = results.utkface()
    assert base.intersections is not None
    refused = replace(
        base.intersections, n=0, smallest=(), largest_gaps=(), beyond_pairs=(),
        not_computable=(("smallest", "2000000 cells are more than 1000000"),),
    )  # fmt: skip

    text = flat(shown(base.having(intersections=refused)))

    assert "race × gender × age: not computable (2000000 cells are more than 1000000)" in text


def test_a_result_of_before_the_upper_half_still_reads() -> None:
    document = json.loads(result_json(results.utkface()))
    for key in NEW:
        del document[key]
    for ladder in document["ladders"]:
        for key in ("conditionals", "lost", "stopped"):
            del ladder[key]
        for rung in ladder["rungs"]:
            del rung["skipped"]
    del document["intersections"]["beyond_pairs"]
    for cell in document["intersections"]["smallest"]:
        for key in ("expected_pairs", "residual_pairs", "p_adjusted", "more_images"):
            del cell[key]

    read = parse_result(json.dumps(document))

    assert read.stability is None
    assert read.gate == ()
    assert read.ladders[0].conditionals == ()
    assert not read.ladders[0].rungs[0].skipped
    assert read.associations == results.utkface().associations
    assert "Would another seed" not in shown(read)


@given(
    value=st.floats(-1, 2),
    below=st.floats(0, 1),
    above=st.floats(0, 1),
    mark=st.none() | st.floats(-1, 2),
    cells=st.integers(1, 40),
)
def test_an_interval_fills_its_cells_exactly_and_shows_its_dot(
    value: float, below: float, above: float, mark: float | None, cells: int
) -> None:
    drawn = interval(value, value - below, value + above, full=1.0, cells=cells, mark=mark)

    assert drawn.cell_len == cells
    assert drawn.plain.count("●") == 1


def test_intervals_have_a_scale_as_wide_as_they_are() -> None:
    assert scale("100 %", 12).plain == "0      100 %"
    assert interval(0.5, 0.25, 0.75, full=1.0, cells=9, mark=1.0).plain == "  ━━●━━ │"
    assert interval(0.5, 0.25, 0.75, full=0.0, cells=3).plain == "●  "
    assert interval(0.5, 0.25, 0.75, full=1.0, cells=0).plain == ""


def test_quantities_of_any_unit_have_about_three_figures() -> None:
    assert [measured(value) for value in (1412.4, 41.23, 4.123, 0.4123, None)] == [
        "1,412",
        "41.2",
        "4.12",
        "0.412",
        "not computable",
    ]
    assert percent_span(0.79, 0.892) == "79.0-89.2"
    assert percent_span(-0.02, 0.05) == "-2.0 to 5.0"
    assert percent_span(None, 0.05) == "not computable"
