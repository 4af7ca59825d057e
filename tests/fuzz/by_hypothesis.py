"""Feed a target with edited seeds that hypothesis draws, and shrinks: not led by coverage, but everywhere installed.

In a process of its own: `python -m tests.fuzz.by_hypothesis TARGET FOLDER SECONDS`.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import click
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.judge import judge
from tests.fuzz.targets import TARGETS, Target

CHUNK = 500
"""Inputs between two looks at the clock."""

Edit = tuple[int, int, bytes]
"""Where, how many bytes go, and what comes instead."""


def edited(inputs: Sequence[bytes], longest: int) -> st.SearchStrategy[bytes]:
    """Return a strategy of plain noise, and of inputs with up to eight edits."""
    edit = st.tuples(st.integers(0, longest), st.integers(0, 8), st.binary(max_size=8))
    return st.one_of(
        st.binary(max_size=64),
        st.builds(_edited, st.sampled_from(inputs), st.lists(edit, max_size=8)),
    )


def _edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    for place, gone, new in edits:
        at = place % (len(data) + 1)
        data = data[:at] + new + data[at + gone :]
    return data


def feed(target: Target, folder: Path, *, examples: int, number: int = 0) -> None:
    """Feed every seed, then `examples` edited ones; AssertionError names the finding.

    The same `number` draws the same inputs.
    """
    inputs = list(target.seeds())
    for data in inputs:
        assert judge(target, data, folder) is None

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edited(inputs, target.longest))
    def no_finding(data: bytes) -> None:
        finding = judge(target, data, folder)
        assert finding is None, f"{finding.words}\n{finding.trace}"

    no_finding()


def main() -> None:
    """Feed one target until the time is over."""
    name, seconds = sys.argv[1], int(sys.argv[3])
    warnings.simplefilter("error")
    work = Path(tempfile.mkdtemp())
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        feed(TARGETS[name], work, examples=CHUNK, number=number)
        number += 1
    click.echo(f"stat::number_of_executed_units: {number * CHUNK}")


if __name__ == "__main__":
    main()
