"""Two runs whose comparison has every section: some images in common, other clusters, groups of any name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_audit.audit.compare.run import ReadRun, compare_runs
from fer_audit.audit.types.compare import Comparison
from fer_audit.config import AuditConfig
from fer_audit.report.comparison import make_comparison
from fer_audit.report.render.html import render_page
from tests.audit.compared import run_of
from tests.report.pages import EVIL, Naming, harmless

FOLDER = "/home/somebody/secret place"
"""Where the runs lie: no page says so."""
COMMON, ONLY = 120, 60
"""Images in both runs, and in each alone."""


def _run(name: str, *, first: int, k: int, naming: Naming, seed: int) -> ReadRun:
    """Return a run on images first, first + 1, ...; the last third has more of the last groups."""
    rows = np.arange(first, first + COMMON + ONLY)
    later = rows >= COMMON + ONLY
    groups = [
        tuple(f"{i} {naming(word)}" for i, word in enumerate(EVIL[at::3])) for at in range(3)
    ]
    columns = {
        f"{at} {naming(EVIL[at])}": (
            np.where(later, len(names) - 1, rows * (at + 3) % 97 % len(names)),
            names,
        )
        for at, names in enumerate(groups)
    }
    rng = np.random.default_rng(seed)
    clusters = np.where(rng.random(len(rows)) < 0.6, rows % 97 % k, rng.integers(0, k, len(rows)))
    return run_of(
        columns,
        clusters,
        name=f"{FOLDER}/{name}",
        ids=[f"{row:05d}.jpg" for row in rows],
        config=AuditConfig.of(permutations=49, bootstraps=20, seed=seed),
    )


def two_runs(naming: Naming = harmless) -> Comparison:
    """Return the comparison of two runs whose attributes and groups are named after EVIL."""
    return compare_runs(
        _run(f"a {naming(EVIL[0])}".replace("/", "\\"), first=0, k=3, naming=naming, seed=0),
        _run("b", first=ONLY, k=4, naming=naming, seed=1),
    )


def names_in(comparison: Comparison) -> list[str]:
    """Return every attribute's and every group's name."""
    return [
        name
        for each in comparison.attributes
        for name in (each.attribute, *(group.name for group in each.groups))
    ]


def write_comparison(folder: Path, naming: Naming = harmless) -> Path:
    """Write the page of `two_runs` and return its path."""
    path = folder / f"{naming.__name__}.html"
    path.write_text(render_page(make_comparison(two_runs(naming))), encoding="utf-8")
    return path
