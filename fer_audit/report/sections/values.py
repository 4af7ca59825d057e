"""What several sections share: how one is made, its tables, estimates with their intervals, names, and what has no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, TypeAlias, TypeVar

import fer_audit.text as t
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.report import blocks as b
from fer_audit.report.view import View

Record = TypeVar("Record")
Estimated: TypeAlias = Any
"""A record of any kind that has the fields which a function here names."""
Shown: TypeAlias = tuple[b.Column, Callable[[Record], b.Cell]]
"""A column, and what it shows of a record."""
Maker: TypeAlias = Callable[[View], b.Section | None]


def section(
    key: str, title: str | Callable[[View], str]
) -> Callable[[Callable[[View], Iterator[b.Block]]], Maker]:
    """Make a section of a function that yields its blocks; where it yields none there is no section."""

    def maker(write: Callable[[View], Iterator[b.Block]]) -> Maker:
        @wraps(write)
        def make(view: View) -> b.Section | None:
            words = title if isinstance(title, str) else title(view)
            blocks = tuple(write(view))
            return b.Section(key, words, blocks) if blocks else None

        return make

    return maker


def small(text: str) -> b.Prose:
    """Return how to read something."""
    return b.Prose(text, tone="small")


def spoken(name: str, limit: int = 28) -> str:
    """Write an attribute or a measure as words, its middle left out where it is long."""
    return t.clipped(t.display(name), limit)


def claimed(each: Estimated) -> str:
    """Write what a claim (of, attribute) is about: race; of a label, expression × race."""
    names = (each.attribute,) if each.of == "cluster" else (each.of, each.attribute)
    return " × ".join(map(spoken, names))


def alike_in(given: Sequence[str], limit: int = 20) -> str:
    """Write the columns in which images are alike: race × gender."""
    return " × ".join(spoken(name, limit) for name in given)


def span_or_dash(low: float | None, high: float | None) -> str:
    """Write an interval of coefficients, a dash where there is none."""
    return t.NO_VALUE if low is None or high is None else t.span(low, high)


def estimate(value: float | None, low: float | None, high: float | None) -> str:
    """Write a coefficient with its interval: .213 (.193-.264)."""
    return t.NO_VALUE if value is None else f"{zero(value)} ({span_or_dash(low, high)})"


def corrected(each: Estimated) -> str:
    """Write the V~ of a record with its interval."""
    return estimate(each.v_corrected, each.low, each.high)


def p_or_dash(p: float | None, alone: float | None, permutations: int) -> str:
    """Write a p, a dash where there is none; `alone` is it before correction: it may be the least that shuffles can give."""
    return t.NO_VALUE if p is None else t.p_text(p, at_most=t.unreached(alone, permutations))


def shuffled_p(each: Estimated) -> str:
    """Write the permutation p of a record."""
    return p_or_dash(each.p, each.p, each.permutations)


def adjusted_p(each: Estimated) -> str:
    """Write the same after correction."""
    return p_or_dash(each.p_adjusted, each.p, each.permutations)


def zero(value: float) -> str:
    """Write a coefficient; what rounds to zero is .000, as it reads best next to others."""
    return ".000" if 0 <= value < 0.0005 else t.coefficient(value)


def without_value(silent: Iterable[tuple[str, NotComputable]]) -> list[b.Block]:
    """Return a list of what could not be computed and why; nothing for nothing."""
    items = tuple(f"{name}: {t.because(reasons)}." for name, reasons in silent)
    return [b.Bullets(items)] if items else []


def left(
    title: str, show: Callable[[Record], b.Cell], *, wrap: int = 0, drop: int = 0
) -> Shown[Record]:
    """Return a column of words."""
    return b.Column(title, wrap=wrap, drop=drop), show


def right(
    title: str, show: Callable[[Record], b.Cell], *, wrap: int = 0, drop: int = 0
) -> Shown[Record]:
    """Return a column of numbers."""
    return b.Column(title, right=True, wrap=wrap, drop=drop), show


def table_of(
    title: str,
    records: Sequence[Record],
    *columns: Shown[Record],
    importance: b.Importance = "normal",
    faint: Callable[[Record], bool] = lambda _: False,
    note: str = "",
) -> b.Table:
    """Return a table with a row for each record: every column comes with what it shows of one."""
    rows = tuple(tuple(show(record) for _, show in columns) for record in records)
    greyed = frozenset(row for row, record in enumerate(records) if faint(record))
    heads = tuple(column for column, _ in columns)
    return b.Table(title, heads, rows, importance, greyed, note=note)


def without_empty_columns(table: b.Table) -> b.Table:
    """Return a table without the columns in which no row has anything."""
    used = [at for at in range(len(table.columns)) if any(row[at] for row in table.rows)]
    rows = tuple(tuple(row[at] for at in used) for row in table.rows)
    return replace(table, columns=tuple(table.columns[at] for at in used), rows=rows)
