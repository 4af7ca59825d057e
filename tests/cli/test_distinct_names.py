"""A comparison may be shared: it names two runs, not their places on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.cli.compare import distinct_names


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("/home/ann/one", "/home/ann/two", ("one", "two")),
        ("/home/ann/one/run", "/mnt/two/run", ("one/run", "two/run")),
        ("/home/ann/run", "/home/ann/run", ("run", "run")),
        ("/home/ann/run/../one", "/home/ann/two/", ("one", "two")),
    ],
)
def test_two_runs_get_the_shortest_names_that_differ(
    first: str, second: str, names: tuple[str, str]
) -> None:
    assert distinct_names(Path(first), Path(second)) == names
