"""A finished run -> a leak-free split of its images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.remedies.parts import connected, split_units, torn
from fer_audit.audit.stats.tables import cross_table
from fer_audit.errors import ConfigError
from fer_audit.pipeline.finished import FinishedRun
from fer_audit.rng import stage_rng
from fer_audit.text import counted, display, listed, name_meant

SCHEMA = "fer-audit/split/1"
SUBJECT, NEAR = "subject", "near_duplicates"


def split_run(
    run: FinishedRun,
    shares: Sequence[float],
    *,
    group: Sequence[str] = (),
    balance: Sequence[str] = (),
    seed: int = 0,
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Return the (n,) part of each image, -1 for one without, and what is to be said of the split.

    `group` names what no two parts share: subject, near_duplicates, columns; () = subject where the run has one, else
    near_duplicates. No photo is in two parts, ever: where a group is torn between parts by copies or near-copies, those
    in the part with most of them stay, and the others get no part. `balance` names columns that every part has as the
    whole has them; () = all about people and expressions. The shares add up to 1.
    Raises ConfigError for a column that there is not, and shares that no split can have.
    """
    if len(shares) < 2 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ConfigError(
            "The parts are no shares that add up to 1", hint="For example: --parts .8,.1,.1"
        )
    chosen = [_grouping(run, name) for name in group or (SUBJECT if run.subjects else NEAR,)]
    asked, codes_of = [name for name, _ in chosen], dict(chosen)
    columns = [run.column(name) for name in balance] if balance else list(run.people)
    sha256 = run.rows.sha256
    photos = np.where(sha256 == b"", -1, np.unique(sha256, return_inverse=True)[1])
    rows = np.flatnonzero(run.rows.ok)
    alike = connected(len(rows), [photos[rows], run.near_groups[rows]])
    asked_for = [alike if name == NEAR else codes[rows] for name, codes in codes_of.items()]
    units = connected(len(rows), asked_for)
    sizes = np.bincount(units)
    if len(sizes) < len(shares):
        raise ConfigError(
            f"{listed([display(name) for name in asked])} {'ties' if len(asked) == 1 else 'tie'} all images into {counted(len(sizes), 'unit')}, "
            f"and {counted(len(shares), 'part')} are asked for",
            hint="Give --group something finer.",
        )
    rng = stage_rng(seed, "split", *asked)
    part = np.full(len(photos), -1, np.int64)
    placed = split_units(units, [each.codes[rows] for each in columns], np.array(shares), rng)
    part[rows] = np.where(torn(alike, placed), -1, placed)
    rows = np.flatnonzero(part >= 0)
    n = np.bincount(part[rows], minlength=len(shares))
    document = {
        "schema": SCHEMA,
        "dataset": run.result.dataset.name,
        "seed": seed,
        "group": asked,
        "units": len(sizes),
        "largest_unit": int(sizes.max()),
        "parts": [
            {"name": name, "asked": share, "images": images}
            for name, share, images in zip(
                part_names(len(shares)), shares, n.tolist(), strict=True
            )
        ],
        "shares": {
            each.name: {
                name: [count / max(size, 1) for count, size in zip(row, n.tolist(), strict=True)]
                for name, row in zip(
                    each.groups,
                    cross_table(
                        each.codes, part, n_rows=len(each.groups), n_cols=len(shares)
                    ).tolist(),
                    strict=True,
                )
            }
            for each in columns
        },
        "in_several_parts": {
            "byte_identical": _crossing(photos, part),
            SUBJECT: _crossing(run.subjects[0].codes, part) if run.subjects else None,
            NEAR: _crossing(run.near_groups, part),
            **{name: _crossing(codes, part) for name, codes in codes_of.items()},
        },
        "unreadable": int((~run.rows.ok).sum()),
        "copies_left_out": int((run.rows.ok & (part < 0)).sum()),
    }
    return part, document


def part_names(count: int) -> list[str]:
    """Return the names of the parts: train, val, test where there are three, train and test where two."""
    known = {2: ["train", "test"], 3: ["train", "val", "test"]}
    return known.get(count) or [f"part{number}" for number in range(1, count + 1)]


def _grouping(run: FinishedRun, asked: str) -> tuple[str, NDArray[np.integer]]:
    """Return the name of what no two parts share, and its (n,) codes."""
    meant = name_meant(asked, (NEAR, SUBJECT))
    if meant == NEAR:
        return NEAR, run.near_groups
    if meant == SUBJECT and run.subjects:
        return SUBJECT, run.subjects[0].codes
    column = run.column(asked)
    return column.name, column.codes


def _crossing(codes: NDArray[np.integer], part: NDArray[np.int64]) -> int:
    """Return how many of the codes, -1 = none, are in more than one part."""
    known = (codes >= 0) & (part >= 0)
    pairs = np.unique(np.stack([codes[known], part[known]]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
