"""The report on a terminal: its order, its numbers, its width, and names that try to break out."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.cells import cell_len
from rich.console import Console

from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.report.gaps import gaps
from fer_audit.report.terminal import terminal_report
from tests.report import results

MAKERS = (results.utkface, results.paper, results.degenerate, results.bare, results.hostile)


def shown(result: AuditResult, width: int = 160, **options: object) -> str:
    """Return the report as a terminal of that width gets it, without colour unless asked for."""
    stream = io.StringIO()
    settings: dict[str, object] = {"width": width, "color_system": None, "legacy_windows": False}
    console = Console(file=stream, **{**settings, **options})  # type: ignore[arg-type]  # options by name
    console.print(terminal_report(result, results.timings()))
    return stream.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [1, 5, 20, 40, 60, 80, 120, 160, 250])
@pytest.mark.parametrize("make", MAKERS)
def test_no_line_is_wider_than_the_terminal(make: Callable[[], AuditResult], width: int) -> None:
    lines = shown(make(), width).splitlines()

    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize("width", [20, 40, 80])
def test_narrow_means_longer_not_poorer(width: int) -> None:
    """Every number of the wide report stands in the narrow one, whatever the shape of its tables."""
    wide, narrow = (
        NUMBER.findall(re.sub(r"\s", " ", shown(results.utkface(), w))) for w in (250, width)
    )
    unbroken = re.sub(r"\s", "", shown(results.utkface(), width))

    assert {number for number in set(wide) - set(narrow) if number not in unbroken} == set()


def test_the_verdict_comes_first_and_the_settings_last() -> None:
    text = shown(results.paper())
    titles = [
        "Verdict",
        "Who is in the set?",
        "Which combinations are missing?",
        "Who is in each cluster?",
        "Do clusters and people go together?",
        "Are there duplicates?",
        "Is this sample a fair draw?",
        "Does the audit find what was planted?",
        "Files and labels",
        "How was this computed?",
    ]

    places = [text.index(f"── {title}") for title in titles]

    assert places == sorted(places)


def test_table_one_of_the_origin_paper_stands_in_the_report() -> None:
    lines = [flat(line) for line in shown(results.paper()).splitlines()]

    assert "race White Black Asian Indian Other" in lines
    assert "0 (199) 117 58.8 % 6 few 3.0 % 28 few 14.1 % 26 few 13.1 % 22 few 11.1 %" in lines
    assert "2 (19) 7 few 36.8 % 0 few 0.0 % 7 few 36.8 % 4 few 21.1 % 1 few 5.3 %" in lines
    assert "all (500) 271 54.2 % 13 2.6 % 84 16.8 % 78 15.6 % 54 10.8 %" in lines
    assert "race 500 .090 .089-.118 .010 (.000-.061) .423 > .999 1.1 % 0 none" in lines


@pytest.mark.parametrize("width", [80, 160])
def test_marks_tell_over_and_under_without_colour(width: int) -> None:
    text = shown(results.utkface(), width)

    assert "3,346 ▲" in text
    assert "781 ▼" in text
    assert "■ warning" in text
    assert "● notice" in text
    assert "○ info" in text
    assert "▼ 0.36× under" in text


def test_a_batch_of_many_groups_is_only_summarised() -> None:
    text = shown(results.utkface())

    assert "2017-01-09 02h" in text
    assert "2017-01-09 03h" not in text
    assert "and 210 smaller groups; 213 groups in all" in text


def test_predicted_labels_are_called_so() -> None:
    base = results.utkface()
    predicted = replace(base.representation[0], source="predicted")

    assert "race (predicted)" in shown(base.having(representation=(predicted,)))


def test_ladders_show_where_a_claim_stops_and_why() -> None:
    text = shown(results.utkface())

    assert "✓1─✓2─✓3─✓4─✓5 ✗6 ✓7 ✓8  5 of 8: not image style" in text
    assert "✓1─✓2─✓3─✓4─✓5─✓6─✓7─✓8  8 of 8: replicated" in text
    assert re.search(r"race ✗6 +not the crawl: 38 % of the association is kept", text)


def test_what_has_no_value_says_why() -> None:
    text = flat(shown(results.degenerate(), 80))

    assert "not computable (one cluster)" in text
    assert "race, diversity indices ENS nothing is annotated" in text
    assert "age heaping whipple no ages from 23 to 62" in text
    assert "nan" not in text.lower()
    assert {gap.where for gap in gaps(results.degenerate())} >= {
        "race, rung 1",
        "race, subset check",
    }


def test_an_incomplete_audit_says_so_at_both_ends() -> None:
    text = shown(results.degenerate(), 80)

    assert text.count("INCOMPLETE") == 2
    assert "INCOMPLETE" in "".join(text.splitlines()[:3])
    assert "INCOMPLETE" in "".join(text.splitlines()[-5:])
    assert "INCOMPLETE" not in shown(results.utkface())


def test_planted_checks_are_shown_only_where_something_was_planted() -> None:
    assert "✗ no" in shown(results.paper())
    assert "planted" not in shown(results.utkface())


def test_every_warning_is_in_the_verdict_before_what_is_less() -> None:
    findings = tuple(Finding(f"c{index}", "info", f"sentence {index}.") for index in range(9))
    loud = Finding("loud", "warning", "a loud one.")
    text = shown(replace(results.bare(), findings=(*findings, loud)))

    verdict, _, rest = text.partition("Further findings")

    assert "a loud one." in verdict
    assert "sentence 0." in verdict
    assert "and 4 further findings below" in verdict
    assert all(f"sentence {index}." in rest for index in (5, 6, 7, 8))


@pytest.mark.parametrize("width", [20, 80, 160])
@pytest.mark.parametrize("force_terminal", [True, False])
def test_no_name_controls_the_terminal(width: int, force_terminal: bool) -> None:
    text = shown(results.hostile(), width, force_terminal=force_terminal)

    assert not set(text) & {"\x1b", "\r", "\t", "\x07", "\u202e", "\u2028"}
    assert not any("\ud800" <= char <= "\udfff" for char in text)


def test_no_name_is_parsed_as_markup() -> None:
    text = shown(results.hostile())

    assert "[bold]loud[/bold]" in text
    assert "\\x1b[31mred\\x1b[0m" in text
    assert "two\\x0alines" in text
    assert "\\u202eright to left" in text
    assert "bytes\\xff\\xfe" in text
    assert "[/]" in text
    assert ":smile:" in text


def test_colour_is_only_an_addition() -> None:
    """What colour says, a word or a symbol says too: without the codes the text is the same."""
    coloured = shown(results.utkface(), color_system="truecolor", force_terminal=True)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(results.utkface())


@pytest.mark.parametrize("color", ["bright_black", "white", "black", " on "])
def test_no_colour_vanishes_on_a_light_or_a_dark_terminal(color: str) -> None:
    console = Console(
        file=io.StringIO(), width=120, color_system="truecolor", legacy_windows=False
    )
    segments = console.render(terminal_report(results.utkface(), results.timings()))

    assert not any(
        color in str(segment.style).replace("not ", "") for segment in segments if segment.style
    )


def test_no_colour_and_dumb_terminals_get_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    stream = io.StringIO()

    Console(file=stream, force_terminal=True, legacy_windows=False).print(
        terminal_report(results.utkface())
    )

    assert "Verdict" in stream.getvalue()
    assert not re.search(r"\x1b\[3[0-9]", stream.getvalue())


@pytest.mark.parametrize("make", MAKERS)
def test_a_terminal_that_knows_ascii_only_gets_ascii(make: Callable[[], AuditResult]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    Console(file=stream, width=80, color_system=None, legacy_windows=False).print(
        terminal_report(make())
    )
    stream.flush()

    assert b"Verdict" in raw.getvalue()


NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[+-]?\d+)?|\.\d+")
PROSE = {
    "0",
    "1",
    "29",
    "23",
    "62",
    "5",
    "100",
    "500",
    "0.8",
    "1.25",
    "30",
    "0.1",
    "95",
    ".001",
    ".999",
    "2",
}
"""Numbers of the report's own sentences: thresholds and scales, no results."""


def values(part: object) -> Iterator[object]:
    if isinstance(part, tuple):
        for item in part:
            yield from values(item)
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        for field in dataclasses.fields(part):
            yield from values(getattr(part, field.name))
    else:
        yield part


def derived(result: AuditResult) -> Iterator[object]:
    """Yield what the report adds up or divides itself."""
    for association in result.associations:
        table = [[count or 0 for count in row] for row in association.table]
        totals = [sum(row) for row in table]
        columns = [sum(column) for column in zip(*table, strict=True)]
        yield from (*totals, *columns, sum(totals), len(association.groups))
        for row, total in zip(table, totals, strict=True):
            yield from (count / total for count in row if total)
        yield from (column / sum(totals) for column in columns if sum(totals))
    if result.clustering is not None:
        starts = result.clustering.starts
        yield (starts.inertia_max - starts.inertia_min) / (starts.inertia_min or 1)
        for before, after in pairwise(result.clustering.sweep):
            yield (before.inertia - after.inertia) / before.inertia
    for representation in result.representation:
        yield from (len(representation.groups), len(representation.groups) - 3)
    yield len(result.findings) - 6
    yield from (len(ladder.rungs) for ladder in result.ladders)
    yield from range(len(result.ledger) + 1)
    for timing in results.timings():
        yield from (timing.items, timing.seconds, timing.items / timing.seconds)


def written(value: object) -> Iterator[str]:
    """Yield every way in which the report may write a value."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield f"{value:,}"
    elif isinstance(value, float):
        for factor in (1, 100):
            for digits in (0, 1, 2, 3):
                text = f"{factor * value:,.{digits}f}"
                yield from (text.lstrip("-"), text.lstrip("-").replace("0.", ".", 1))
    elif isinstance(value, str):
        yield from (number.rstrip(",.") for number in NUMBER.findall(value))


@pytest.mark.parametrize(
    "make", [results.utkface, results.paper, results.degenerate, results.bare]
)
def test_every_number_comes_from_the_result(make: Callable[[], AuditResult]) -> None:
    result = make()
    known = {
        text
        for value in (*values(dataclasses.astuple(result)), *derived(result))
        for text in written(value)
    }
    text = re.sub(r"sha256 \w{16}…|fingerprint \w{16}…", "", shown(result))

    unknown = {number.rstrip(",.") for number in NUMBER.findall(text)} - known - PROSE

    assert unknown == set()
