"""report, explain and card: a finished run shown again, one claim of it, or as sections of a dataset card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_audit.cli import charts
from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import PATH, FinishedRun, flag, option
from fer_audit.cli.sharing import min_cell_option, refuse_to_share, shared
from fer_audit.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from fer_audit.report.card import CardFormat
    from fer_audit.report.files.sheets import SheetFormat

RUN = click.argument("run", type=FinishedRun(), metavar="RUN")


@click.command("report", short_help="Show a finished run again.")
@RUN
@flag("--full", "Every section instead of the short report.")
@option(
    "--section NAME",
    "One topic in full: claims, labels, who, clusters, models, collection, sets or method.",
)
@option("--table NAME", "One table for a paper; an unknown NAME lists them.")
@option("--format form", "Of --table.  [default: csv]", type=click.Choice(["csv", "latex", "md"]))
@flag("--methods", "A paragraph for the methods section, and its BibTeX.")
@flag("--json as_json", "Print result.json.")
@flag("--html as_html", "Also write RUN/report.html again, from result.json and pictures.json.")
@option(
    "--page FILE",
    "Also write the page to FILE, in addition to the run's own report.html.",
    type=charts.PAGE,
)
@min_cell_option
@charts.chart_options
def report_command(
    run: Path,
    full: bool,
    section: str | None,
    table: str | None,
    form: SheetFormat | None,
    methods: bool,
    as_json: bool,
    as_html: bool,
    page: Path | None,
    min_cell: int,
    **folders: Path | None,
) -> None:
    """Show the short report of the run directory RUN; --full and --section show what is behind it.

    --png, --svg and --pdf also write every chart as a file fit for a paper, as wide as a column and with its letters
    embedded, and captions.md with what each shows.
    --min-cell makes all of it fit to be shared; the run directory itself keeps every count.

    \b
    Examples:
      fer-audit report runs/utkface
      fer-audit report runs/utkface --full | less -R
      fer-audit report runs/utkface --section claims
      fer-audit report runs/utkface --json
      fer-audit report runs/utkface --html
      fer-audit report runs/utkface --table claims --format latex > claims.tex
      fer-audit report runs/utkface --methods > methods.txt
      fer-audit report runs/utkface --pdf figures
      fer-audit report runs/utkface --min-cell 5 --page shared.html
      fer-audit report runs/utkface --min-cell 5 --json > shared.json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show_report
    from fer_audit.report.files.document import read_result, result_json
    from fer_audit.report.files.timings import read_timings
    from fer_audit.report.report import make_report
    from fer_audit.report.view import View

    asked = {"--full": full, "--section": section, "--table": table, "--methods": methods}
    shown = [name for name, value in (asked | {"--json": as_json}).items() if value]
    if len(shown) > 1:
        raise ConfigError(f"{' and '.join(shown)} each show another thing", hint="Ask for one.")
    if form is not None and table is None:
        raise ConfigError("--format is that of --table", hint="Name it: --table claims")
    if as_html and min_cell:
        raise ConfigError(
            "--html writes the run's own page, and --min-cell one to be shared",
            hint="Give the shared one a place: --min-cell 5 --page shared.html",
        )
    if page is not None:
        charts.refuse_no_folder(page, "--page")
    result = shared(read_result(run / "result.json"), min_cell)
    timings = tuple(read_timings(run / "timings.json"))
    if as_html or page is not None or any(folders.values()):
        charts.prepare_charts()
        from fer_audit.report.files.pictures import read_pictures, shared_pictures

        pictures = shared_pictures(read_pictures(run / "pictures.json"), result, min_cell)
        report = make_report(View(result, pictures, timings))
        for path in (run / "report.html" if as_html else None, page):
            if path is not None:
                beside = path.resolve().parent == run.resolve()
                charts.write_page(replace(report, linked=beside), path)
        charts.write_charts(report, folders)
    if table is not None:
        from fer_audit.report.files.sheets import sheet

        click.echo(
            sheet(make_report(View(result, timings=timings)), table, form or "csv"), nl=False
        )
    elif methods:
        from fer_audit.report.methods import methods_text

        click.echo(methods_text(result), nl=False)
    elif as_json:
        answer_json(result_json(result))
    else:
        own_page = None if min_cell else run / "report.html"
        view = View(result, timings=timings)
        show_report(view, run, page or own_page, full=full, section=section, min_cell=min_cell)


@click.command("explain", short_help="Show one claim's evidence.")
@RUN
@click.argument("claim", metavar="CLAIM")
@flag("--json as_json", "Print the claim's record.")
@click.pass_context
def explain_command(ctx: click.Context, /, run: Path, claim: str, as_json: bool) -> None:
    """Show what the run directory RUN says of CLAIM and why: an attribute, or one question of it.

    Questions: chance, others, style, collection, stability. A claim about two labels is written expression:race.

    \b
    Examples:
      fer-audit explain runs/utkface race
      fer-audit explain runs/utkface race.collection
      fer-audit explain runs/ckplus expression:gender
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show
    from fer_audit.report.blocks import Report
    from fer_audit.report.files.document import read_result
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.report.sections.claims import explain
    from fer_audit.report.view import View

    refuse_to_share(ctx)
    view = View(read_result(run / "result.json"))
    sections = explain(view, claim)
    if as_json:
        from fer_audit.audit.types.claim import Claim
        from fer_audit.report.files.codec import encode
        from fer_audit.report.sections.claims import claim_name

        name = claim if claim in map(claim_name, view.result.claims) else claim.rpartition(".")[0]
        found = next(x for x in view.result.claims if claim_name(x) == name)
        answer_json(json.dumps(encode(found, Claim), ensure_ascii=False, indent=2) + "\n")
        return
    heading = view.result.dataset.name
    show(terminal_report(Report(heading, heading, (), "", tuple(sections), "")))


@click.command(
    "card",
    short_help="Write a finished run as a dataset card.",
    # not the options of the files: there --format is a set's, and --out a run directory
    context_settings={"default_map": {}},
)
@RUN
@option(
    "--format form",
    "markdown: sections of a README.md. croissant: JSON-LD with the fields of Croissant RAI 1.0.",
    type=click.Choice(["markdown", "croissant"]),
    default="markdown",
)
@option("--out FILE", "A new file to write to; default: stdout.", type=PATH)
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
