"""report: show a finished run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_audit.cli.charts import (
    PAGE,
    chart_options,
    prepare_charts,
    refuse_no_folder,
    write_charts,
    write_page,
)
from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import FinishedRun
from fer_audit.cli.sharing import min_cell_option, shared
from fer_audit.errors import ConfigError

if TYPE_CHECKING:
    from fer_audit.report.files.sheets import SheetFormat


@click.command("report", short_help="Show a finished run again.")
@click.argument("run", type=FinishedRun(), metavar="RUN")
@click.option("--full", is_flag=True, help="Every section instead of the short report.")
@click.option(
    "--section",
    metavar="NAME",
    help="One topic in full: claims, labels, who, clusters, collection, sets or method.",
)
@click.option("--table", metavar="NAME", help="One table for a paper; an unknown NAME lists them.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "latex", "md"]),
    default="csv",
    show_default=True,
    help="Of --table.",
)
@click.option(
    "--methods", is_flag=True, help="A paragraph for the methods section, and its BibTeX."
)
@click.option("--json", "as_json", is_flag=True, help="Print result.json.")
@click.option(
    "--html",
    "as_html",
    is_flag=True,
    help="Also write RUN/report.html again, from result.json and pictures.json.",
)
@click.option(
    "--page",
    type=PAGE,
    metavar="FILE",
    help="Also write the page to FILE, besides the run's own report.html.",
)
@min_cell_option
@chart_options
def report_command(
    run: Path,
    full: bool,
    section: str | None,
    table: str | None,
    form: SheetFormat,
    methods: bool,
    as_json: bool,
    as_html: bool,
    page: Path | None,
    min_cell: int,
    png: Path | None,
    svg: Path | None,
    pdf: Path | None,
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

    if as_html and min_cell:
        raise ConfigError(
            "--html writes the run's own page, and --min-cell one to be shared",
            hint="Give the shared one a place: --min-cell 5 --page shared.html",
        )
    if page is not None:
        refuse_no_folder(page, "--page")
    result = shared(read_result(run / "result.json"), min_cell)
    timings = tuple(read_timings(run / "timings.json"))
    if as_html or page is not None or png or svg or pdf:
        prepare_charts()
        from fer_audit.report.files.pictures import read_pictures, shared_pictures

        pictures = shared_pictures(read_pictures(run / "pictures.json"), result, min_cell)
        report = make_report(View(result, pictures, timings))
        own = [run / "report.html"] if as_html else []
        for path in [*own, *([] if page is None else [page])]:
            beside = path.resolve().parent == run.resolve()
            write_page(replace(report, linked=beside), path)
        write_charts(report, {"png": png, "svg": svg, "pdf": pdf})
    if table is not None:
        from fer_audit.report.files.sheets import sheet

        click.echo(sheet(make_report(View(result, timings=timings)), table, form), nl=False)
    elif methods:
        from fer_audit.report.methods import methods_text

        click.echo(methods_text(result), nl=False)
    elif as_json:
        answer_json(result_json(result))
    else:
        own_page = None if min_cell else run / "report.html"
        view = View(result, timings=timings)
        show_report(view, run, page or own_page, full=full, section=section)
