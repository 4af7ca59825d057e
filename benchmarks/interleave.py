"""Peers side by side: A B C, B C A, one loaded process each, one at work at a time, nothing counted that disagrees."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.environments import environment_python
from benchmarks.machine import summary
from benchmarks.worker import Answer, PeerFailure, Worker

LOUD = 0.25
"""A spread above this share of the median is said next to the number."""

Check = Callable[[str, NDArray[Any]], dict[str, float]]
"""(peer, output) -> how well it agrees; raises UnequalOutputs when it does not."""


class UnequalOutputs(Exception):
    """Two peers do not compute the same thing, so that their times mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One side of a comparison."""

    name: str
    """Key in the result."""
    label: str
    """What README calls it."""
    group: str
    """ours, model (inputs in memory already) or others: the colour of its bar."""
    module: str
    setup: Mapping[str, Any]
    environment: str | None = None
    """Name in `ENVIRONMENTS`; None = the interpreter that runs the benchmark."""
    trouble: str = ""
    """Why it cannot be measured, when that is known beforehand."""


@dataclass(slots=True)
class _Samples:
    worker: Worker
    answers: list[Answer] = field(default_factory=list)
    agreement: dict[str, float] = field(default_factory=dict)
    idle: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What a case wants raced."""

    peers: Sequence[Peer]
    ratios: Sequence[tuple[str, str, str]]
    """(what it says, peer, other peer): how many times as fast the first is."""
    items: int
    """Images, or 1 where the seconds themselves are told."""
    repeats: int
    warm_up: bool
    check: Check


def race(
    wanted: Race, *, work: Path, environments: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the raw seconds of every peer and what follows from them.

    Every output of every turn is checked. Raises UnequalOutputs before a number is written anywhere.
    """
    skipped: dict[str, str] = {}
    with ExitStack() as stack:
        samples: dict[str, _Samples] = {}
        for peer in wanted.peers:
            try:
                worker = stack.enter_context(_start(peer, work, environments, say))
                worker.begin()
            except PeerFailure as exc:
                skipped[peer.name] = str(exc)
                continue
            samples[peer.name] = _Samples(worker)
        for name in list(samples):
            try:
                samples[name].worker.ready()
            except PeerFailure as exc:
                skipped[name] = str(exc)
                del samples[name]
        for name, why in skipped.items():
            say(f"  {name}: not measured: {why}")
        say(f"  loaded: {', '.join(samples)}")
        for turn in range(-1 if wanted.warm_up else 0, wanted.repeats):
            say(f"  {'warm-up' if turn < 0 else f'repeat {turn + 1} of {wanted.repeats}'}")
            for name in turn_order(list(samples), turn):
                try:
                    _take_turn(name, samples, turn, wanted, say)
                except PeerFailure as exc:
                    skipped[name] = str(exc)
                    del samples[name]
                    say(f"  {name}: given up: {exc}")
    return {
        "items": wanted.items,
        "repeats": wanted.repeats,
        "warm_up": wanted.warm_up,
        "peers": {
            peer.name: {
                "label": peer.label,
                "group": peer.group,
                **(
                    _told(samples[peer.name], wanted.items)
                    if peer.name in samples
                    else {"skipped": skipped[peer.name]}
                ),
            }
            for peer in wanted.peers
        },
        "ratios": [
            {"what": what, "peer": one, "beside": other, **_ratio(samples[one], samples[other])}
            for what, one, other in wanted.ratios
            if one in samples and other in samples
        ],
    }


def turn_order(names: Sequence[str], turn: int) -> list[str]:
    """Return who works after whom in a turn, so that over the turns everybody comes after everybody equally often.

    The row is rotated by the turn. A rotated A B C D would still have B after A, so the row that is rotated goes to and
    fro, A B D C: no two of its steps are of one length. With an odd number they are in pairs; there, every other turn
    runs backwards. E. J. Williams, Aust. J. Sci. Res. A 2 (1949): n turns are balanced, 2 n of an odd n.
    """
    n = len(names)
    row = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(n)]
    order = [names[(place + turn) % n] for place in row]
    return order[::-1] if n % 2 and turn % 2 else order


def _start(peer: Peer, work: Path, environments: Path, say: Callable[[str], None]) -> Worker:
    if peer.trouble:
        raise PeerFailure(peer.trouble)
    python = Path(sys.executable)
    if peer.environment is not None:
        python = environment_python(peer.environment, environments, say)
    return Worker(python, peer.module, peer.setup, work, peer.name)


def _take_turn(
    name: str, samples: dict[str, _Samples], turn: int, wanted: Race, say: Callable[[str], None]
) -> None:
    """Let one peer do one repeat, and see to it that its output agrees and that the others kept still."""
    mine = samples[name]
    others = [each for other, each in samples.items() if other != name]
    before = [each.worker.cpu_seconds() for each in others]
    answer = mine.worker.go(turn)
    after = [each.worker.cpu_seconds() for each in others]
    output = np.load(answer.output, allow_pickle=False)
    mine.agreement = wanted.check(name, output)
    answer.output.unlink()
    if turn < 0:
        return
    mine.answers.append(answer)
    idle = sum(
        b - a for a, b in zip(before, after, strict=True) if a is not None and b is not None
    )
    mine.idle.append(idle)
    speed = f"{wanted.items / answer.seconds:8.2f} a second" if wanted.items > 1 else ""
    say(f"    {name:<24}{answer.seconds:8.2f} s {speed}")


def _told(samples: _Samples, items: int) -> dict[str, Any]:
    seconds = [answer.seconds for answer in samples.answers]
    told: dict[str, Any] = {
        "seconds": seconds,
        "summary": summary(seconds),
        "agreement": samples.agreement,
        "facts": samples.worker.facts,
        "details": [answer.details for answer in samples.answers],
        "peak_bytes": samples.answers[-1].peak_bytes,
        "cpu_seconds_of_idle_peers": samples.idle,
    }
    if items > 1:
        told["per_second"] = summary([items / each for each in seconds])
    return told


def _ratio(one: _Samples, other: _Samples) -> dict[str, Any]:
    """Return how many times as fast `one` is, repeat by repeat."""
    ratios = [b.seconds / a.seconds for a, b in zip(one.answers, other.answers, strict=True)]
    return {"samples": ratios, "median": statistics.median(ratios)}
