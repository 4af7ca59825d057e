"""Peers take turns in processes of their own, and nothing is counted that disagrees or fell out."""

from __future__ import annotations

import statistics
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.interleave import Peer, Race, UnequalOutputs, race, turn_order


def peer(folder: Path, name: str, more: float = 0, **setup: float | str) -> Peer:
    return Peer(
        name=name,
        label=name,
        group="others",
        module="tests.benchmarks.jobs",
        setup={"name": name, "more": more, "turns": str(folder / "turns"), **setup},
    )


def sum_is_one(name: str, output: NDArray[np.float64]) -> dict[str, float]:
    if output[0] != 1:
        raise UnequalOutputs(name)
    return {"sum": float(output[0])}


def raced(folder: Path, *peers: Peer, repeats: int = 3) -> dict[str, Any]:
    wanted = Race(
        peers=peers,
        ratios=[("a beside b", "a", "b")],
        items=10,
        repeats=repeats,
        warm_up=True,
        check=sum_is_one,
    )
    return race(wanted, work=folder, environments=folder, say=lambda _: None)


def test_peers_take_turns_after_a_warm_up_that_is_not_counted(tmp_path: Path) -> None:
    result = raced(tmp_path, peer(tmp_path, "a"), peer(tmp_path, "b"))

    assert (tmp_path / "turns").read_text() == "ba" + "ab" + "ba" + "ab"
    for told in result["peers"].values():
        assert len(told["seconds"]) == 3
        assert [each["done"] for each in told["details"]] == [2, 3, 4]
        assert told["agreement"] == {"sum": 1}
        assert told["peak_bytes"] > 10_000_000  # Python and numpy alone are more
        assert told["facts"] == {"more": 0}


@pytest.mark.parametrize("n", range(1, 14))
def test_over_the_turns_everybody_comes_after_everybody_equally_often(n: int) -> None:
    """Whoever follows always finds the cache and the clock as the one before left them."""
    names = "abcdefghijklm"[:n]
    turns = [turn_order(names, turn) for turn in range(n if n % 2 == 0 else 2 * n)]

    follows = Counter(pair for order in turns for pair in pairwise(order))
    places = Counter(entry for order in turns for entry in enumerate(order))

    assert all(sorted(order) == list(names) for order in turns)
    assert len(follows) == n * (n - 1)
    assert len(set(follows.values())) <= 1
    assert len(places) == n * n
    assert len(set(places.values())) == 1


def test_a_ratio_is_the_median_of_those_of_the_repeats(tmp_path: Path) -> None:
    result = raced(tmp_path, peer(tmp_path, "a"), peer(tmp_path, "b", sleeps=0.05))

    a, b = (result["peers"][name]["seconds"] for name in "ab")
    (ratio,) = result["ratios"]
    assert ratio["samples"] == [other / one for one, other in zip(a, b, strict=True)]
    assert ratio["median"] == statistics.median(ratio["samples"]) > 1


def test_speed_and_spread_follow_from_the_raw_seconds(tmp_path: Path) -> None:
    told = raced(tmp_path, peer(tmp_path, "a"))["peers"]["a"]

    rates = [10 / each for each in told["seconds"]]
    assert told["per_second"]["median"] == statistics.median(rates)
    assert told["per_second"]["max"] == max(rates)
    assert told["per_second"]["spread"] == (max(rates) - min(rates)) / statistics.median(rates)


def test_one_output_that_disagrees_ends_the_whole_race(tmp_path: Path) -> None:
    with pytest.raises(UnequalOutputs, match="b"):
        raced(tmp_path, peer(tmp_path, "a"), peer(tmp_path, "b", more=0.001))


@pytest.mark.parametrize(
    ("when", "words"), [("loading", "RuntimeError: no such network"), ("working", "out of luck")]
)
def test_a_peer_that_dies_has_a_reason_instead_of_numbers(
    tmp_path: Path, when: str, words: str
) -> None:
    result = raced(tmp_path, peer(tmp_path, "a"), peer(tmp_path, "b", dies=when))

    assert result["peers"]["b"] == {"label": "b", "group": "others", "skipped": words}
    assert len(result["peers"]["a"]["seconds"]) == 3
    assert result["ratios"] == []


def test_the_memory_of_a_peer_is_not_that_of_the_runner(tmp_path: Path) -> None:
    """Linux hands a parent's peak on to its children; the first version of this file told 906 MB for everybody."""
    mine = np.ones(50_000_000)  # 400 MB

    told = raced(tmp_path, peer(tmp_path, "a"))["peers"]["a"]

    assert 10_000_000 < told["peak_bytes"] < mine.nbytes / 2


def test_idle_peers_keep_still(tmp_path: Path) -> None:
    result = raced(tmp_path, peer(tmp_path, "a", sleeps=0.2), peer(tmp_path, "b"), repeats=2)

    assert max(result["peers"]["a"]["cpu_seconds_of_idle_peers"]) <= 0.02  # two ticks of the clock


def test_a_peer_with_a_known_trouble_is_never_started(tmp_path: Path) -> None:
    known = Peer(
        name="a", label="a", group="ours", module="no.such.module", setup={}, trouble="not yet"
    )

    result = raced(tmp_path, known)

    assert result["peers"]["a"]["skipped"] == "not yet"
