"""The report on a terminal: any width, no colour needed, ASCII where there is no more, and names that try to break out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import Bar, Column, Importance, Interval, Report, Table
from fer_audit.report.render.terminal import terminal_report
from fer_audit.report.sections.found import N_FIXES
from tests.report.render.specimen import MAKERS, report_of, section_of, specimen, table
from tests.report.results import HOSTILE, degenerate, hostile, many, utkface

WIDTHS = (20, 40, 80, 120, 160, 200)
ALARM = "UNFINISHED: do not quote it."


def shown(
    report: Report, width: int = 160, least: Importance = "normal", **options: object
) -> str:
    """Return a report as a terminal of that width gets it, without colour unless asked for."""
    stream = io.StringIO()
    settings: dict[str, object] = {"width": width, "color_system": None, "legacy_windows": False}
    console = Console(file=stream, **{**settings, **options})  # type: ignore[arg-type]  # options by name
    console.print(terminal_report(report, least))
    return stream.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [1, 5, *WIDTHS, 250])
@pytest.mark.parametrize("make", MAKERS)
def test_no_line_is_wider_than_the_terminal_or_ends_in_a_blank(
    make: Callable[[], AuditResult], width: int
) -> None:
    for report in (report_of(make), specimen()):
        lines = shown(report, width, "detail").splitlines()

        assert max(cell_len(line) for line in lines) <= width
        assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_kind_of_block_is_shown_as_far_as_its_importance_says(width: int) -> None:
    texts = {
        least: re.sub(r"\s", "", shown(specimen(), width, least))
        for least in ("summary", "normal", "detail")
    }
    summary = ("the heading", "first fact", "SECTION OF WORDS", "summary prose")
    normal = (
        *("alarming prose", "a heading", "second bullet", "fact name", "fact value"),
        *("fine statement", "know figures", "fix to do", "code to copy", "table title"),
        *("row fails", "fails sign", "table note"),
    )
    detail = (
        *("small detail prose", "defined term", "its words", "its formula", "its source"),
        *("folded table", "folded cell", "card title", "card subtitle", "prose in a card"),
    )

    for words, least in ((summary, "summary"), (normal, "normal"), (detail, "detail")):
        for word in words:
            assert (word.replace(" ", "") in texts[least]) is True, word
    short = texts["summary"].casefold()
    assert not any(word.replace(" ", "") in short for word in (*normal, *detail))
    assert not any(word.replace(" ", "") in texts["normal"] for word in detail)
    assert "sectionoffigures" not in short, "a section with nothing to show"


def test_marks_say_without_colour_what_is_grave_and_what_holds() -> None:
    text = flat(shown(specimen()))

    for mark in ("■ fix fix statement", "● know", "✓ fine", "✓ holds sign", "✗ fails sign"):
        assert mark in text
    assert "? unknown sign" in text
    assert "○ skipped sign" in text
    assert "✓1 ✗2 ?3 ○4" in text


def test_a_table_wraps_then_drops_then_stacks_and_says_what_it_drops() -> None:
    columns = (
        Column("name", wrap=6),
        Column("kept", right=True),
        Column("first to go", drop=2),
        Column("next to go", drop=1),
    )
    made = Table("", columns, (("a long name", "123456", "x" * 12, "y" * 12),))

    wide, wrapped, narrower, narrow, stacked = (
        shown(section_of(made), width) for width in (80, 46, 40, 24, 10)
    )

    assert "a long name  123456  xxxxxxxxxxxx  yyyyyyyyyyyy" in wide
    assert "a long name" not in wrapped
    assert "xxxxxxxxxxxx  yyyyyyyyyyyy" in wrapped
    assert "not shown at this width: first to go" in flat(narrower)
    assert "y" * 12 in narrower
    assert "not shown at this width: first to go, next to go" in flat(narrow)
    assert "not shown" not in wide + wrapped
    assert "alongnamekept:123456firsttogo:xxxxxxxxxxxxnexttogo:yyyyyyyyyyyy" in re.sub(
        r"\s", "", stacked
    ), "a list has room for every column"
    assert "not shown" not in flat(stacked)


def test_drawings_take_what_room_there_is_and_go_without_a_word() -> None:
    columns = (Column("name"), Column("bar", drop=1), Column("interval", drop=2))
    cells = (("row", Bar(1, 1), Interval(0.5, 0.0, 1.0, 1.0)),)

    lengths = []
    for width in (30, 40, 200):
        text = shown(section_of(Table("", columns, cells)), width)
        lengths.append((text.count("█"), text.count("━") + text.count("●")))
    narrow = shown(section_of(Table("", columns, cells)), 15)

    assert lengths == [(10, 10), (15, 15), (32, 32)]
    assert "█" not in narrow
    assert "not shown" not in narrow


def test_the_last_row_of_totals_is_set_apart() -> None:
    rules = [
        shown(section_of(Table("", (Column("name"),), (("one",), ("all",)), total=total))).count(
            "────\n"
        )
        for total in (False, True)
    ]

    assert rules[1] == rules[0] + 1


def test_an_alarm_stands_at_both_ends() -> None:
    text = shown(specimen(alarm=ALARM), 80)

    assert text.count("UNFINISHED") == 2
    assert "UNFINISHED" in "".join(text.splitlines()[:3])
    assert "UNFINISHED" in "".join(text.splitlines()[-3:])
    assert "INCOMPLETE" in shown(report_of(degenerate))
    assert "INCOMPLETE" not in shown(report_of(utkface))


@pytest.mark.parametrize("width", [20, 80, 160])
@pytest.mark.parametrize("force_terminal", [True, False])
def test_no_name_controls_the_terminal(width: int, force_terminal: bool) -> None:
    for report in (report_of(hostile), specimen(lambda role: role + "".join(HOSTILE))):
        text = shown(report, width, "detail", force_terminal=force_terminal)

        assert not set(text) & {"\x1b", "\r", "\t", "\x07", "\u202e", "\u2028"}
        assert not any("\ud800" <= char <= "\udfff" for char in text)


def test_no_name_is_parsed_as_markup() -> None:
    text = shown(report_of(hostile))

    assert "[bold]loud[/bold]" in text
    assert "\\x1b[31mred\\x1b[0m" in text
    assert "two\\x0alines" in text
    assert "\\u202eright to left" in text
    assert "bytes\\xff\\xfe" in text
    assert "[/]" in text
    assert ":smile:" in text


@pytest.mark.parametrize("report", [report_of(utkface), specimen(alarm=ALARM)])
def test_colour_is_only_an_addition(report: Report) -> None:
    """What colour says, a word or a symbol says too: without the codes the text is the same."""
    coloured = shown(report, color_system="truecolor", force_terminal=True)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(report)


def test_rows_of_too_few_images_are_dimmed() -> None:
    coloured = shown(section_of(table()), color_system="truecolor", force_terminal=True)

    rows = [line for line in coloured.splitlines() if "1,234" in line]
    dimmed = [re.search(r"\x1b\[2m *1,234", line) is not None for line in rows]
    assert dimmed == [False, True, False, False]


@pytest.mark.parametrize("color", ["bright_black", "white", "black", " on "])
def test_no_colour_vanishes_on_a_light_or_a_dark_terminal(color: str) -> None:
    console = Console(
        file=io.StringIO(), width=120, color_system="truecolor", legacy_windows=False
    )
    segments = [
        segment
        for report in (report_of(utkface), specimen(alarm=ALARM))
        for segment in console.render(terminal_report(report, "detail"))
    ]

    assert not any(
        color in str(segment.style).replace("not ", "") for segment in segments if segment.style
    )


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [*MAKERS, many])
def test_the_short_report_fits_on_a_screen(make: Callable[[], AuditResult], width: int) -> None:
    report = report_of(make)
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, legacy_windows=False).print(
        terminal_report(
            report,
            "summary",
            page="runs/x/report.html",
            more=("fer-audit report runs/x", "--full"),
        )
    )
    lines = stream.getvalue().splitlines()

    assert max(map(cell_len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []
    assert width < 80 or len(lines) <= 60
    heads = [section.title.upper() for section in report.sections[:3]]
    assert [line for line in lines if line in heads] == heads
    assert re.sub(r"\s", "", "".join(lines)).count("report.html") == 2


def test_what_a_screen_does_not_hold_is_counted() -> None:
    whole, short = (shown(report_of(many), width, "summary") for width in (79, 80))
    *above, last = short.splitlines()

    (left_out,) = re.fullmatch(r"  \.\.\. and (\d+) more lines: --full", last).groups()  # type: ignore[union-attr]  # it must match
    assert int(left_out) > 0
    assert "more lines" not in whole
    assert len(above) <= 55


def test_the_short_report_says_what_to_fix_and_which_list_names_the_files() -> None:
    text = flat(shown(report_of(utkface), 120, "summary"))

    first = [each for each in utkface().findings if each.severity == "fix"][:N_FIXES]
    assert len(first) == N_FIXES
    for each in first:
        assert f"! {each.text}" + (f" -> {each.files}" if each.files else "") in text
        assert each.figures not in text


def test_no_colour_and_dumb_terminals_get_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    stream = io.StringIO()

    Console(file=stream, force_terminal=True, legacy_windows=False).print(
        terminal_report(specimen())
    )

    assert "summary prose" in stream.getvalue()
    assert not re.search(r"\x1b\[3[0-9]", stream.getvalue())


@pytest.mark.parametrize("make", MAKERS)
def test_a_terminal_that_knows_ascii_only_gets_ascii(make: Callable[[], AuditResult]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    Console(file=stream, width=80, color_system=None, legacy_windows=False).print(
        terminal_report(report_of(make))
    )
    stream.flush()

    assert report_of(make).sections[0].title.encode() in raw.getvalue()


@pytest.mark.parametrize("width", range(24, 40))
def test_a_wrapped_column_cuts_no_word_of_twelve_letters(width: int) -> None:
    columns = (Column("attribute", wrap=4), *(Column(name, right=True) for name in ("V", "p")))
    rows = (("expression (label)", ".480", "< .001"), ("race", ".159", "1"))

    text = shown(section_of(Table("t", columns, rows)), width)

    assert "expression" in text
    assert "(label)" in text


def test_a_finding_names_its_list_in_the_short_report_and_in_the_full_one() -> None:
    report = report_of(utkface)
    fixes = [x for x in utkface().findings if x.severity == "fix"][:N_FIXES]
    named = {x.files for x in fixes if x.files}
    assert named

    for least in ("summary", "normal"):
        text = " ".join(shown(report, least=least).split())
        assert all(f"-> {each}" in text for each in named)
