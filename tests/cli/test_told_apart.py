"""A comparison may be handed on: it names two runs, and not where on a disk they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.cli.compare import told_apart


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("/home/ann/one", "/home/ann/two", ("one", "two")),
        ("/home/ann/one/run", "/mnt/two/run", ("one/run", "two/run")),
        ("/home/ann/run", "/home/ann/run", ("run", "run")),
        ("/home/ann/run/../one", "/home/ann/two/", ("one", "two")),
    ],
)
def test_two_runs_are_named_by_the_least_that_tells_them_apart(
    first: str, second: str, names: tuple[str, str]
) -> None:
    assert told_apart(Path(first), Path(second)) == names
