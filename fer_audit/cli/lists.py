"""lists: the files of a run to correct, to drop, to look at."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import FinishedRun
from fer_audit.cli.sharing import refuse_to_share


@click.command("lists", short_help="Say which files to correct, drop or look at.")
@click.argument("run", type=FinishedRun(), metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print the lists as JSON.")
@click.pass_context
def lists_command(ctx: click.Context, /, run: Path, as_json: bool) -> None:
    """Name the lists of files that the run directory RUN has, how many rows each has, and what it is for.

    \b
    Examples:
      fer-audit lists runs/utkface
      fer-audit lists runs/utkface --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.pipeline.lists import lists_of
    from fer_audit.text import counted

    refuse_to_share(ctx)
    found = lists_of(run)
    if as_json:
        answer_json(json.dumps({"schema": "fer-audit/lists/1", "lists": found}, indent=2) + "\n")
        return
    for each in found:
        answer(f"{each['path']}  {counted(each['rows'], 'row')}")
        answer(f"    {each['about']}")
    if not found:
        answer("No list: no copy, no contradicting label and no unreadable file was found.")
