"""--min-cell: the option of `run`, `report` and `card`, whose reports somebody may want to pass on.

`compare`, `lists`, `balance` and `split` show counts too and cannot withhold any: they refuse to work where the settings ask for that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from fer_audit.cli.param_types import option
from fer_audit.config import ReportSettings, refuse_min_cell
from fer_audit.errors import ConfigError

if TYPE_CHECKING:
    from fer_audit.audit.types.result import AuditResult


def shared(result: AuditResult, min_cell: int) -> AuditResult:
    """Return the result as `--min-cell` has it; 0 loads nothing, so that a warm rerun stays without scipy."""
    refuse_min_cell(min_cell)
    if not min_cell:
        return result
    from fer_audit.audit.suppression import withhold

    return withhold(result, min_cell)


def refuse_to_share(ctx: click.Context) -> None:
    """Raise ConfigError in a verb that shows counts and has no --min-cell, where files of options or the environment set it."""
    given = _in_files(ctx)
    variable = f"{ctx.auto_envvar_prefix}_MIN_CELL"
    for where, value in (("the files of options", given), (variable, os.environ.get(variable))):
        if value is not None and str(value).strip() != "0":
            raise ConfigError(
                f"{where} set min-cell to {value}, and {ctx.info_name} shows every count: it has no --min-cell",
                hint="Unset it for what you will not share.",
            )


def _in_files(ctx: click.Context) -> object:
    """Return what the files of options say for a verb; None when they say nothing."""
    given = (ctx.parent.default_map or {}) if ctx.parent is not None else {}
    return (given.get(str(ctx.info_name)) or {}).get("min_cell")


def _from_files(ctx: click.Context, option: click.Parameter, value: int) -> int:
    """Return what the files of options say where the verb is not told itself."""
    if ctx.get_parameter_source("min_cell") != click.core.ParameterSource.DEFAULT:
        return value
    found = _in_files(ctx)
    return value if found is None else int(option.type_cast_value(ctx, found))


min_cell_option = option(
    "--min-cell N",
    "Hide counts below N, and every number that would reveal them; default: off.",
    type=int,
    default=ReportSettings().min_cell,
    show_default=False,
    callback=_from_files,
)
"""Every verb that has it takes it from the files of options, also one that reads no others."""
