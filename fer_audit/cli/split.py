"""split: parts of a set that share no person and no photo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fer_audit.cli.output import answer, answer_json, folder_name
from fer_audit.cli.param_types import PATH, ColumnList, FinishedRun, Numbers
from fer_audit.cli.sharing import refuse_to_share


@click.command("split", short_help="Split a set so that its parts share no person or photo.")
@click.argument("run", type=FinishedRun(), metavar="RUN")
@click.option(
    "--parts", type=Numbers(), default="0.8,0.1,0.1", show_default=True, help="Share of each part."
)
@click.option(
    "--group",
    "unit",
    type=ColumnList(),
    default="",
    metavar="A,B",
    help="What no two parts share: subject, near_duplicates, hour or a column; "
    "default: subject where the set has it, else near_duplicates.",
)
@click.option(
    "--balance",
    "alike",
    type=ColumnList(),
    default="",
    metavar="A,B",
    help="Columns that are alike in all parts; default: all about people and expressions.",
)
@click.option("--seed", default=0, show_default=True, help="Of the lot among equal units.")
@click.option(
    "--out", "folder", type=PATH, metavar="DIR", help="Where to write; default: RUN/split/GROUP."
)
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the split's facts as JSON.")
@click.pass_context
def split_command(
    ctx: click.Context,
    /,
    run: Path,
    parts: tuple[float, ...],
    unit: tuple[str, ...],
    alike: tuple[str, ...],
    seed: int,
    folder: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Split the images of the run directory RUN: split.csv says the part of each, and no two parts share a unit.

    \b
    Examples:
      fer-audit split runs/utkface
      fer-audit split runs/utkface --group hour,near_duplicates --balance race,gender
      fer-audit split runs/utkface --parts 0.5,0.5 --seed 1
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.pipeline.finished import read_run
    from fer_audit.pipeline.split import part_names, split_run
    from fer_audit.report.files.rows import write_list
    from fer_audit.store.stage import make_folder, write_text

    refuse_to_share(ctx)
    finished = read_run(run)
    group, balance = ([name for name in names if name] for names in (unit, alike))
    part, document = split_run(finished, parts, group=group, balance=balance, seed=seed)
    folder = folder or run / "split" / folder_name(document["group"])
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if not dry_run:
        make_folder(folder)
        names = [*part_names(len(parts)), ""]
        rows = zip(finished.rows.ids, (names[each] for each in part.tolist()), strict=True)
        write_list(folder / "split.csv", ("id", "part"), list(rows))
        write_text(folder / "split.json", text)
    if as_json:
        answer_json(text)
        return
    _show(document)
    if not dry_run:
        answer(f"-> {folder / 'split.csv'}")


def _show(document: dict[str, Any]) -> None:
    from fer_audit.cli.console import show
    from fer_audit.report.blocks import Prose, Report, Section, plain_table
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.text import counted, display, listed, percent, whole

    parts = document["parts"]
    rows = [("images", *(whole(each["images"]) for each in parts))]
    size = sum(each["images"] for each in parts)
    rows.append(("share", *(percent(each["images"] / size) for each in parts)))
    rows += [
        (f"{display(column)} {group}", *map(percent, shares))
        for column, groups in document["shares"].items()
        for group, shares in groups.items()
    ]
    crossing = {name: n for name, n in document["in_several_parts"].items() if n is not None}
    shut = [display(name) for name, n in crossing.items() if not n]
    left = [f"{display(name)} ({whole(n)})" for name, n in crossing.items() if n]
    told = f"No two parts share: {listed(shut)}." if shut else ""
    if left:
        told += f" In more than one part: {listed(left)}; name it in --group to keep it together."
    columns = ("", *(each["name"] for each in parts))
    name, heading = document["dataset"], f"{counted(len(parts), 'part')} without a leak"
    if document["copies_left_out"]:
        told += f" {counted(document['copies_left_out'], 'copy', 'copies')} and near-copies of photos in another part are left out."
    units = f"{counted(document['units'], 'unit')}, the largest of {counted(document['largest_unit'], 'image')}; seed {document['seed']}"
    right = tuple(range(1, len(columns)))
    blocks = (plain_table("", columns, rows, right=right), Prose(told.strip()), Prose(units))
    section = Section("split", heading, blocks)
    show(terminal_report(Report(name, name, (), "", (section,), "")))
