"""card: a finished run as sections of a dataset card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import PATH, FinishedRun
from fer_audit.cli.sharing import min_cell_option, shared
from fer_audit.errors import StoreError

if TYPE_CHECKING:
    from fer_audit.report.card import CardFormat


@click.command(
    "card",
    short_help="Write a finished run as a dataset card.",
    # not the options of the files: there --format is a set's, and --out a run directory
    context_settings={"default_map": {}},
)
@click.argument("run", type=FinishedRun(), metavar="RUN")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "croissant"]),
    default="markdown",
    show_default=True,
    help="markdown: sections of a README.md. croissant: JSON-LD with the fields of Croissant RAI 1.0.",
)
@click.option(
    "--out",
    type=PATH,
    metavar="FILE",
    help="A new file to write to; default: stdout.",
)
@min_cell_option
def card_command(run: Path, form: CardFormat, out: Path | None, min_cell: int) -> None:
    """Write the run directory RUN as sections of a dataset card, from its measured numbers only.

    Markdown has the section titles of the Hugging Face template: paste it into the dataset's README.md.
    Croissant is a block to merge into the dataset's own croissant.json, not a document of its own (docs/card.md).
    Groups of fewer than 30 images are marked and never ranked, and no image file is named.

    \b
    Examples:
      fer-audit card runs/utkface
      fer-audit card runs/utkface --out card.md
      fer-audit card runs/utkface --format croissant > rai.json
      fer-audit card runs/utkface --min-cell 5
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.report.card import dataset_card
    from fer_audit.report.files.read_run import read_finished_result
    from fer_audit.store.stage import write_text

    if out is not None and (out.exists() or out.is_symlink()):
        raise StoreError(
            f"{out} is there already", hint="Give a new name: a README.md is never overwritten."
        )
    card = dataset_card(shared(read_finished_result(run), min_cell), form=form)
    if out is None and form == "croissant":
        answer_json(card)
    elif out is None:
        click.echo(card.encode(), nl=False)  # bytes: the same in every locale
    else:
        write_text(out, card)
