"""Comparisons that tests share: two runs with every section, poor ones, empty ones, hostile ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_audit.audit.compare.run import ReadRun, compare_runs
from fer_audit.audit.run import audit
from fer_audit.audit.types.compare import Agreement, Comparison, GroupChange, LabelColumn, RunRows
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.report.comparison import make_comparison
from fer_audit.report.render.html import render_page
from tests.audit.compared import run_of
from tests.audit.predicted import planted, predictions_of
from tests.known import known
from tests.report import results
from tests.report.pages import EVIL, Naming, harmless

COMMON, ONLY = 120, 60
"""Images in both runs, and in each alone."""
ROWS = 200


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
        name=name,
        ids=[f"{row:05d}.jpg" for row in rows],
        config=AuditConfig.of(permutations=49, bootstraps=20, seed=seed),
    )


def two_runs(naming: Naming = harmless) -> Comparison:
    """Return the comparison of two runs whose attributes and groups are named after EVIL."""
    return compare_runs(
        _run(f"a {naming(EVIL[0])}", first=0, k=3, naming=naming, seed=0),
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


def read(result: AuditResult, *, name: str = "runs/a", seed: int = 0) -> ReadRun:
    """Return a run with rows drawn to go with a result; their counts are not those of the result."""
    rng = np.random.default_rng(seed)
    k = 0 if result.clustering is None else result.clustering.k
    ok = np.ones(ROWS, np.bool_)
    return ReadRun(
        name=name,
        result=result,
        rows=RunRows(
            ids=tuple(f"{i}.jpg" for i in range(ROWS)),
            sha256=np.array([f"{i:064d}".encode() for i in range(ROWS)], "S64"),
            ok=ok,
            clusters=rng.integers(0, k, ROWS, dtype=np.int32)
            if k
            else np.full(ROWS, -1, np.int32),
            labels=tuple(
                LabelColumn(
                    each.attribute,
                    tuple(group.name for group in each.groups),
                    np.arange(ROWS, dtype=np.int32) % len(each.groups),
                )
                for each in result.representation
            ),
        ),
        vectors=np.eye(ROWS, 4, dtype=np.float32),
    )


def changed() -> Comparison:
    """Return two runs on UTKFace that differ in nearly everything."""
    base = results.utkface()
    other = base.having(
        clustering=replace(known(base.clustering), k=8, sizes=(1,) * 8),
        claims=tuple(
            replace(each, low=0.9, high=0.95, v_corrected=0.92, comes_back="no")
            for each in base.claims
        ),
        config=base.config.having(k_auto=True, layout="table"),
    )
    return compare_runs(read(base), read(other, name="runs/b", seed=1))


def poor() -> Comparison:
    return compare_runs(read(results.utkface()), read(results.degenerate(), name="runs/one"))


def bare() -> Comparison:
    return compare_runs(read(results.bare()), read(results.bare()))


def hostile() -> Comparison:
    result = results.hostile()
    bad = "".join(results.HOSTILE[:6])
    worse = replace(
        result, config=result.config.having(model=bad, path_column=bad[::-1]), versions=()
    )
    return compare_runs(read(result, name=bad), read(worse, name=results.HOSTILE[1], seed=1))


def predicted() -> Comparison:
    """Return two runs with predictions of another model each."""
    made = planted(900)
    (said,) = made.predictions
    other = predictions_of(said.codes[::-1], name="another")
    runs = audit(made), audit(replace(made, predictions=(other,)))
    return compare_runs(read(runs[0]), read(runs[1], name="runs/b"))


def empty() -> Comparison:
    """Return a comparison in which nothing at all could be computed."""
    full = two_runs()
    groups = tuple(GroupChange(x.name, None, None) for x in full.attributes[0].groups)
    claim = replace(
        known(full.claims[0].first),
        **dict.fromkeys(("v_corrected", "low", "high", "chance", "left")),  # type: ignore[arg-type]
        strength="not computable",
    )
    nothing_known = dict.fromkeys(
        ("model", "k", "inertia", "zero_share", "norm_mean", "norm_sd"), None
    )
    runs = [replace(run, **nothing_known) for run in (full.first, full.second)]  # type: ignore[arg-type]
    return replace(
        full,
        agreement=Agreement(
            0, (), (), 0, not_computable=(("ari", "no image has a cluster in both runs"),)
        ),
        cosines=(),
        claims=tuple(
            replace(x, first=claim, second=None, intervals_overlap=None) for x in full.claims
        ),
        attributes=tuple(
            replace(x, common=None, relabelled=None, draws=0, groups=groups)
            for x in full.attributes
        ),
        first=runs[0],
        second=runs[1],
        differences=(),
        findings=(),
    )


def no_attribute() -> Comparison:
    return replace(two_runs(), attributes=(), claims=())


def many() -> Comparison:
    """Return more clusters and groups than an open table has."""
    full = two_runs()
    first = full.attributes[0]
    table = tuple(tuple(int(row == column) for column in range(30)) for row in range(30))
    groups = tuple(replace(first.groups[0], name=f"group {i}") for i in range(31))
    return replace(
        full,
        attributes=(replace(first, groups=groups),),
        agreement=replace(full.agreement, table=table, n=30, matched=30),
    )


MAKERS = (two_runs, changed, predicted, poor, bare, hostile, empty, no_attribute, many)
