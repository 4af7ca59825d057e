"""lists: the files of a run to correct, to drop, to look at."""

from __future__ import annotations

import csv
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
    from fer_audit.audit.remedies.lists import LISTS
    from fer_audit.text import counted

    refuse_to_share(ctx)
    found = []
    for path, about in ((run / each.path, each.about) for each in LISTS):
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows = sum(1 for _ in (file if path.suffix == ".txt" else csv.DictReader(file)))
            found.append((str(path), rows, about))
    if as_json:
        names = ("path", "rows", "about")
        lists = [dict(zip(names, each, strict=True)) for each in found]
        answer_json(json.dumps({"schema": "fer-audit/lists/1", "lists": lists}, indent=2) + "\n")
        return
    for where, rows, about in found:
        answer(f"{where}  {counted(rows, 'row')}")
        answer(f"    {about}")
    if not found:
        answer("There is no list: nothing was found for one, or purge --rows removed them.")
