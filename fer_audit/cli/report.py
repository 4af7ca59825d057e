"""report: a finished run, shown again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report", short_help="Show a finished run again.")
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print result.json.")
def report_command(run: Path, as_json: bool) -> None:
    """Show the report of the run directory RUN.

    \b
    Examples:
      fer-audit report runs/utkface
      fer-audit report runs/utkface --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show
    from fer_audit.report.document import read_result, result_json
    from fer_audit.report.terminal import terminal_report
    from fer_audit.report.timings import read_timings

    result = read_result(run / "result.json")
    if as_json:
        click.echo(result_json(result), nl=False)
    else:
        show(terminal_report(result, read_timings(run / "timings.json")))
