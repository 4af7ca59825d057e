"""What is said while work goes on: where it is in the whole, how far, and how long it still takes."""

from __future__ import annotations

import io
import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from fer_audit.cli import console
from fer_audit.cli.console import Standing, Terminal, rough
from fer_audit.pipeline.types import USUAL, Stopwatch
from fer_audit.progress import Silent
from tests.cli.conftest import Call


class Clock:
    """A clock that goes on when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(console, "time", made)
    return made


def test_the_line_says_where_how_far_and_how_long_the_whole_still_takes(clock: Clock) -> None:
    shown = Standing()
    assert shown.line() == "starting: 0.0 s so far"

    shown.stage("embed", 3, 7, expected=300, later=120)
    clock.now += 60
    assert shown.line() == "3 of 7, embed: about 6 min left, 1 min 0 s so far"

    shown.start("embed", 4000, "images", 1000)
    clock.now += 30
    shown.counts["embed"].done = 1500  # 500 in 30 s: 2,500 more in 150 s, then 120 s
    assert shown.left() == 150 + 120
    assert shown.line() == (
        "3 of 7, embed: 1,500 of 4,000 images, about 4 min left, 1 min 30 s so far"
    )


def test_the_guess_is_right_for_steady_work_and_never_below_nothing(clock: Clock) -> None:
    shown = Standing()
    shown.stage("audit", 5, 7, expected=1, later=0)
    shown.start("audit", 20, "analyses", 0)
    for done in range(1, 21):
        clock.now += 3
        shown.counts["audit"].done = done
        assert shown.left() == pytest.approx(3 * (20 - done))
    del shown.counts["audit"]
    assert shown.left() == 0
    assert "left" not in shown.line()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "a minute"), (89, "a minute"), (91, "2 min"), (3540, "59 min"), (3599, "1 h 0 min")],
)
def test_a_guess_is_written_roughly(seconds: float, words: str) -> None:
    assert rough(seconds) == words


class Noted(Silent):
    """A progress that keeps which stages it entered."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, int, int, float, float]] = []

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None:
        self.entered.append((name, place, of, expected, later))


@pytest.mark.parametrize(("until", "of"), [("embed", 3), ("cluster", 4), ("report", 7)])
def test_the_stages_of_a_run_are_numbered_and_guess_what_comes_after(until: str, of: int) -> None:
    noted = Noted()
    watch = Stopwatch(noted, until)
    watch.enter("scan")
    watch.images = 20_000
    for name in [each for each in USUAL if each != "predict"][:of]:
        with watch.stage(name, 1):
            pass

    unknown, *entered = noted.entered
    assert unknown == ("scan", 1, of, 0, 0)
    assert [place for _, place, *_ in entered] == list(range(1, of + 1))
    assert {each[2] for each in entered} == {of}
    for one, after in pairwise(entered):
        assert one[4] == pytest.approx(after[3] + after[4])
    assert entered[-1][4] == 0


def test_a_run_says_the_number_of_each_stage_that_counts(
    fer_audit: Call, faces: Path, quick: list[str]
) -> None:
    told = re.findall(r"^(\d of \d), (\w+): ", fer_audit("run", faces, *quick).err, re.MULTILINE)

    assert told == [
        ("3 of 7", "embed"),
        ("4 of 7", "cluster"),
        ("5 of 7", "audit"),
        ("6 of 7", "pictures"),
    ]


def test_without_a_terminal_there_is_a_line_every_so_often_whatever_the_work_is_busy_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.LINE_SECONDS <= 30
    monkeypatch.setattr(console, "LINE_SECONDS", 0.1)
    with Terminal(quiet=False) as terminal:
        terminal.stage("audit", 5, 7, 60.0, 60.0)
        time.sleep(0.6)
    lines = capsys.readouterr().err.splitlines()
    time.sleep(0.3)

    assert len(lines) >= 3
    assert all(re.fullmatch(r"5 of 7, audit: about 2 min left, 0\.\d s so far", x) for x in lines)
    assert capsys.readouterr().err == "", "and none after the work"
    with Terminal(quiet=True):
        time.sleep(0.3)
    assert capsys.readouterr().err == ""


class Screen(io.StringIO):
    """A terminal that notes when something is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.times.append(time.monotonic())
        return super().write(text)


def test_a_terminal_moves_while_the_work_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with Terminal(quiet=False) as terminal:
        terminal.stage("embed", 3, 7, 60.0, 60.0)
        terminal.start("embed", 4000, "images", 1000)
        time.sleep(2)
        terminal.advance("embed", 500)
        time.sleep(1)
        terminal.finish("embed")
    gaps = [b - a for a, b in pairwise(screen.times)]

    assert max(gaps) < 1.5
    assert "3 of 7, embed: 1,000 of 4,000 images" in screen.getvalue()
    assert "3 of 7, embed: 1,500 of 4,000 images" in screen.getvalue()
    assert re.search(r"images, about \w+( min)? left", screen.getvalue()), "also at 80 columns"
