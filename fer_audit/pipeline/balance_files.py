"""The files of a balanced subset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from fer_audit.pipeline.balance import Balance
from fer_audit.pipeline.finished import FinishedRun
from fer_audit.pipeline.run_folder import REMEDY_FILES
from fer_audit.report.files.rows import write_list, write_rows_parquet
from fer_audit.rng import stage_rng
from fer_audit.store.locks import remove
from fer_audit.store.stage import make_folder, write_atomically, write_text

PLAN, KEEP, KEEP_TXT, UID, WEIGHTS, ADD, DONOR, AUGMENT = REMEDY_FILES[:8]
OPERATIONS = ("flip", "light", "crop")
"""Never hue, which is skin colour, and never a warp, which is another expression."""
PARAMETERS = {
    "flip": {"horizontal": 0.5},
    "light": {"brightness": [0.9, 1.1], "contrast": [0.9, 1.1]},
    "crop": {"scale": [0.9, 1.0]},
}
"""Probability of a flip, and the ranges that a factor is drawn from."""


def write_balance(folder: Path, run: FinishedRun, balance: Balance) -> None:
    """Write a plan's files to a folder, plan.json last; those of a plan that was there before go first."""
    import pyarrow as pa

    make_folder(folder)
    for name in REMEDY_FILES[:8]:
        remove(folder / name)
    ids, kept = run.rows.ids, balance.reasons == ""
    names = pa.array(ids, pa.string())
    reasons = pa.array([text or None for text in balance.reasons.tolist()], pa.string())
    columns = {"id": names, "keep": pa.array(kept), "weight": balance.kept_weights}
    write_rows_parquet(folder / KEEP, pa.table({**columns, "reason": reasons}))
    write_rows_parquet(folder / WEIGHTS, pa.table({"id": names, **balance.weights}))
    write_list(folder / KEEP_TXT, ("id",), [(ids[row],) for row in np.flatnonzero(kept).tolist()])
    uid = uids([bytes(each) for each in run.rows.sha256[kept]])
    write_atomically(folder / UID, lambda file: np.save(file, uid, allow_pickle=False))
    _write_additions(folder, balance)
    if balance.altered:
        write_text(folder / AUGMENT, "".join(_altered_lines(run, balance)))
    write_text(folder / PLAN, json.dumps(balance.document, indent=2, ensure_ascii=False) + "\n")


def uids(digests: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Return the sorted first 128 bits of hex sha256 digests, two unsigned 64-bit numbers each: DataComp's subset file."""
    pairs = sorted({(int(each[:16], 16), int(each[16:32], 16)) for each in digests})
    return np.array(pairs, dtype="u8,u8")


def _write_additions(folder: Path, balance: Balance) -> None:
    """Write what is to be added: cluster by cluster and group by group, and the donor's images."""
    given, have = balance.donation, balance.before - balance.removed
    counts = (have, have + balance.added, balance.added, given.counts)
    rows = [
        (balance.strata[s], balance.groups[g], *(str(each[s, g]) for each in counts))
        for s, g in np.argwhere(balance.added > 0).tolist()
    ]
    if rows:
        titles = ("cluster", "group", "have", "target", "add", "from_donor")
        write_list(folder / ADD, titles, rows)
    if given.donor is not None and len(given.rows):
        facts = (given.rows, given.clusters, given.groups, given.distances)
        images = [
            (given.donor.rows.ids[row], balance.strata[s], balance.groups[g], f"{far:.4f}")
            for row, s, g, far in zip(*(each.tolist() for each in facts), strict=True)
        ]
        write_list(folder / DONOR, ("id", "cluster", "group", "distance"), images)


def _altered_lines(run: FinishedRun, balance: Balance) -> list[str]:
    """Return a line of JSON for each image that is to be shown again, altered."""
    rng = stage_rng(balance.document["seed"], "balance", "augment")
    seeds = rng.integers(0, 2**32, size=len(balance.altered)).tolist()
    return [
        json.dumps(
            {
                "id": run.rows.ids[each.row],
                "operations": OPERATIONS,
                "parameters": PARAMETERS,
                "seed": seed,
                "copies": each.copies,
            },
            ensure_ascii=False,
        )
        + "\n"
        for each, seed in zip(balance.altered, seeds, strict=True)
    ]
