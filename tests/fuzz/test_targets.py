"""Every fuzz target takes its seeds and a hundred edits of them; the judge sees what it is there to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.errors import ConfigError
from tests.fuzz import judge as judging
from tests.fuzz.by_hypothesis import feed
from tests.fuzz.judge import judge
from tests.fuzz.targets import TARGETS, Target
from tests.known import known

EXAMPLES = 120
"""Of each target: about a second on a busy core."""


@pytest.mark.parametrize("name", TARGETS)
def test_edited_inputs_give_a_value_or_a_refusal_of_ours(name: str, tmp_path: Path) -> None:
    feed(TARGETS[name], tmp_path, examples=EXAMPLES)


def refuses_one_word(data: bytes, _: Path) -> None:
    """Read one word in three ways."""
    if data == b"refuse":
        raise ConfigError("no")
    if b"\xff" in data:
        raise ValueError("never thought of that")


ONE_WORD = Target(refuses_one_word, lambda: [b"refuse", b"good"])


def test_a_refusal_is_no_finding_and_every_other_exception_is(tmp_path: Path) -> None:
    assert judge(ONE_WORD, b"good", tmp_path) is None
    assert judge(ONE_WORD, b"refuse", tmp_path) is None

    finding = known(judge(ONE_WORD, b"\xff", tmp_path))

    assert finding.words == "ValueError in test_targets.py:refuses_one_word"
    assert "never thought of that" in finding.trace


def test_a_slow_and_a_large_input_are_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "MAX_SECONDS", 0.0)
    slow = known(judge(ONE_WORD, b"good", tmp_path))
    monkeypatch.undo()
    peak = judging.peak_bytes()
    monkeypatch.setattr(judging, "MAX_BYTES", peak)
    hungry = Target(lambda *_: b"x" * peak, list)
    large = known(judge(hungry, b"good", tmp_path))

    assert slow.words == "slow"
    assert large.words == "large"


def test_the_edits_reach_what_the_seeds_do_not(tmp_path: Path) -> None:
    """A driver that only replayed its seeds would find nothing, and say so for ever."""
    with pytest.raises(AssertionError, match="never thought of that"):
        feed(ONE_WORD, tmp_path, examples=500)
