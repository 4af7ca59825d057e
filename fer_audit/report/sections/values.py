"""What several sections share: tables, estimates with their intervals, names, and what has no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias, TypeVar

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.report.blocks import Block, Bullets, Cell, Column, Importance, Table
from fer_audit.text import (
    NO_VALUE,
    because,
    clipped,
    coefficient,
    display,
    p_text,
    span,
    unreached,
)

Record = TypeVar("Record")


def spoken(name: str, limit: int = 28) -> str:
    """Write an attribute or a measure as words, its middle left out where it is long."""
    return clipped(display(name), limit)


class _Claimed(Protocol):
    @property
    def of(self) -> str: ...
    @property
    def attribute(self) -> str: ...


def claimed(each: _Claimed) -> str:
    """Write what a claim is about: race; of a label, expression × race."""
    names = (each.attribute,) if each.of == "cluster" else (each.of, each.attribute)
    return " × ".join(map(spoken, names))


def alike_in(given: Sequence[str], limit: int = 20) -> str:
    """Write the columns in which images are alike: race × gender."""
    return " × ".join(spoken(name, limit) for name in given)


def span_or_dash(low: float | None, high: float | None) -> str:
    """Write an interval of coefficients, a dash where there is none."""
    return NO_VALUE if low is None or high is None else span(low, high)


def estimate(value: float | None, low: float | None, high: float | None) -> str:
    """Write a coefficient with its interval: .213 (.193-.264)."""
    return NO_VALUE if value is None else f"{zero(value)} ({span_or_dash(low, high)})"


class _Corrected(Protocol):
    @property
    def v_corrected(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def corrected(each: _Corrected) -> str:
    """Write the V~ of a record with its interval."""
    return estimate(each.v_corrected, each.low, each.high)


class _Shuffled(Protocol):
    @property
    def p(self) -> float | None: ...
    @property
    def permutations(self) -> int: ...


class _Adjusted(_Shuffled, Protocol):
    @property
    def p_adjusted(self) -> float | None: ...


def shuffled_p(each: _Shuffled) -> str:
    """Write the permutation p of a record, a dash where there is none."""
    at_most = unreached(each.p, each.permutations)
    return NO_VALUE if each.p is None else p_text(each.p, at_most=at_most)


def adjusted_p(each: _Adjusted) -> str:
    """Write the same after correction."""
    at_most = unreached(each.p, each.permutations)
    return NO_VALUE if each.p_adjusted is None else p_text(each.p_adjusted, at_most=at_most)


def zero(value: float) -> str:
    """Write a coefficient; what rounds to zero is .000, as it reads best next to others."""
    return ".000" if 0 <= value < 0.0005 else coefficient(value)


def without_value(silent: Iterable[tuple[str, NotComputable]]) -> list[Block]:
    """Return a list of what could not be computed and why; nothing for nothing."""
    items = tuple(f"{name}: {because(reasons)}." for name, reasons in silent)
    return [Bullets(items)] if items else []


Shown: TypeAlias = tuple[Column, Callable[[Record], Cell]]
"""A column, and what it shows of a record."""


def left(
    title: str, show: Callable[[Record], Cell], *, wrap: int = 0, drop: int = 0
) -> Shown[Record]:
    """Return a column of words."""
    return Column(title, wrap=wrap, drop=drop), show


def right(
    title: str, show: Callable[[Record], Cell], *, wrap: int = 0, drop: int = 0
) -> Shown[Record]:
    """Return a column of numbers."""
    return Column(title, right=True, wrap=wrap, drop=drop), show


def table_of(
    title: str,
    records: Sequence[Record],
    *columns: Shown[Record],
    importance: Importance = "normal",
    faint: Callable[[Record], bool] | None = None,
    note: str = "",
) -> Table:
    """Return a table with a row for each record: every column comes with what it shows of one."""
    return Table(
        title,
        tuple(column for column, _ in columns),
        tuple(tuple(show(record) for _, show in columns) for record in records),
        importance,
        frozenset(
            row for row, record in enumerate(records) if faint is not None and faint(record)
        ),
        note=note,
    )


def without_empty_columns(table: Table) -> Table:
    """Return a table without the columns in which no row has anything."""
    used = [at for at in range(len(table.columns)) if any(row[at] for row in table.rows)]
    return replace(
        table,
        columns=tuple(table.columns[at] for at in used),
        rows=tuple(tuple(row[at] for at in used) for row in table.rows),
    )
