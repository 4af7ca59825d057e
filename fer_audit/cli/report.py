"""report: a finished run, shown again."""

from __future__ import annotations

from pathlib import Path

import click

from fer_audit.cli.charts import chart_options, say, write_charts


@click.command("report", short_help="Show a finished run again.")
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print result.json.")
@click.option(
    "--html",
    "as_html",
    is_flag=True,
    help="Also write RUN/report.html again, from result.json and the pictures beside it.",
)
@chart_options
def report_command(
    run: Path, as_json: bool, as_html: bool, png: Path | None, svg: Path | None
) -> None:
    """Show the report of the run directory RUN.

    --png and --svg also write every chart as a file fit for a paper, as wide as a column and with its letters embedded.

    \b
    Examples:
      fer-audit report runs/utkface
      fer-audit report runs/utkface --json
      fer-audit report runs/utkface --html
      fer-audit report runs/utkface --png figures --svg figures
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show
    from fer_audit.report.document import read_result, result_json
    from fer_audit.report.terminal import terminal_report
    from fer_audit.report.timings import read_timings

    result = read_result(run / "result.json")
    if as_html or png is not None or svg is not None:
        from fer_audit.report.page.report import report_charts, report_page
        from fer_audit.report.pictures import read_pictures
        from fer_audit.store import write_text

        pictures = read_pictures(run / "pictures.json")
        if as_html:
            page = report_page(result, pictures, read_timings(run / "timings.json"))
            write_text(run / "report.html", page)
            say(f"Page written to {run / 'report.html'}")
        write_charts(report_charts(result, pictures), png=png, svg=svg)
    if as_json:
        click.echo(result_json(result), nl=False)
    else:
        show(terminal_report(result, read_timings(run / "timings.json")))
