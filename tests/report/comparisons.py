"""Comparisons that tests share: two runs that differ in nearly everything, poor ones, empty ones, hostile ones."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np

from fer_audit.audit.compare.run import ReadRun, compare_runs
from fer_audit.audit.compare.vectors import measure_vectors
from fer_audit.audit.types.compare import (
    Agreement,
    AttributeComparison,
    Comparison,
    LabelColumn,
    RunRows,
)
from fer_audit.audit.types.result import AuditResult
from tests.known import known
from tests.report import results
from tests.report.compare_pages import two_runs

ROWS = 200


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
        vectors=measure_vectors(np.eye(ROWS, 4, dtype=np.float32), ok),
    )


def changed() -> Comparison:
    """Return two runs on UTKFace that differ in nearly everything."""
    base = results.utkface()
    other = base.having(
        clustering=replace(known(base.clustering), k=8, sizes=(1,) * 8),
        ladders=results.paper().ladders,
        associations=tuple(replace(each, low=0.9, high=0.95) for each in base.associations),
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


def empty() -> Comparison:
    """Return a comparison in which nothing at all could be computed."""
    full = two_runs()
    return replace(
        full,
        agreement=unknown_agreement(full.agreement),
        attributes=tuple(unknown_attribute(each) for each in full.attributes),
        first=replace(full.first, model=None, k=None, inertia=None, seed=None, vectors=None),
        second=replace(full.second, model=None, k=None, inertia=None, seed=None, vectors=None),
        model=(),
        settings=(),
        versions=(),
        findings=(),
    )


def nothing(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


def unknown_agreement(found: Agreement) -> Agreement:
    names = ("ari", "low", "high", "null_95", "p", "ami")
    return replace(
        found,
        **nothing(*names),
        n=0,
        table=(),
        matches=(),
        matched=0,
        not_computable=tuple((name, "no image has a cluster in both runs") for name in names),
    )


def unknown_attribute(each: AttributeComparison) -> AttributeComparison:
    kept = ("name", "not_computable", "first_count")
    unknown = [
        field.name for field in dataclasses.fields(each.groups[0]) if field.name not in kept
    ]
    return replace(
        each,
        **nothing("common", "relabelled", "second", "intervals_overlap"),
        tested=False,
        first=replace(
            known(each.first),
            **nothing("v", "null_95", "v_corrected", "low", "high", "p_holm", "highest"),
            **nothing("u_group_from_cluster", "u_cluster_from_group"),
            rungs=0,
        ),
        rungs=(),
        ladder=(),
        groups=tuple(
            replace(
                group,
                **nothing(*unknown),
                not_computable=tuple((name, "no image is annotated") for name in unknown),
            )
            for group in each.groups
        ),
    )


def one_attribute() -> Comparison:
    full = two_runs()
    return replace(full, attributes=full.attributes[:1])


def no_attribute() -> Comparison:
    full = two_runs()
    return replace(full, attributes=(), only_first=("age",), only_second=("years",))


def many() -> Comparison:
    """Return more attributes and clusters than a picture holds."""
    full = two_runs()
    first = full.attributes[0]
    table = tuple(tuple(int(row == column) for column in range(30)) for row in range(30))
    return replace(
        full,
        attributes=tuple(replace(first, attribute=f"column {i}") for i in range(31)),
        agreement=replace(full.agreement, table=table, n=30, matched=30),
    )


MAKERS = (two_runs, changed, poor, bare, hostile, empty, one_attribute, no_attribute, many)
