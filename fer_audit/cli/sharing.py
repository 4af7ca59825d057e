"""--min-cell: the option of every verb that shows a report somebody may want to pass on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fer_audit.config import ReportOptions, refuse_min_cell

if TYPE_CHECKING:
    from fer_audit.audit.types import AuditResult

Command = Callable[..., Any]


def min_cell_option(command: Command) -> Command:
    """Add --min-cell N. The files of options speak for it in every verb, also in one that reads no others."""
    return click.option(
        "--min-cell",
        type=int,
        default=ReportOptions().min_cell,
        metavar="N",
        callback=_from_files,
        help="To be shared: withhold every count of 1 to N-1 people, and what would tell it; default: off.",
    )(command)


def shared(result: AuditResult, min_cell: int) -> AuditResult:
    """Return the result as `--min-cell` has it; 0 loads nothing, so that a warm rerun stays without scipy."""
    refuse_min_cell(min_cell)
    if not min_cell:
        return result
    from fer_audit.audit.withhold import withhold

    return withhold(result, min_cell)


def _from_files(ctx: click.Context, option: click.Parameter, value: int) -> int:
    """Return what the files of options say where the verb is not told itself."""
    if ctx.get_parameter_source("min_cell") != click.core.ParameterSource.DEFAULT:
        return value
    given = (ctx.parent.default_map or {}) if ctx.parent is not None else {}
    found = (given.get(str(ctx.info_name)) or {}).get("min_cell")
    return value if found is None else int(option.type_cast_value(ctx, found))
