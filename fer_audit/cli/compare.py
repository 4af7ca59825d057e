"""compare: two finished runs, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from fer_audit.cli.charts import PAGE, refuse_no_folder, write_page
from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import FinishedRun, Renamed
from fer_audit.cli.sharing import refuse_to_share


@click.command("compare", short_help="Show what changed between two runs.")
@click.argument("run1", type=FinishedRun(), metavar="RUN1")
@click.argument("run2", type=FinishedRun(), metavar="RUN2")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the comparison as JSON (docs/compare.md)."
)
@click.option(
    *("--page", "--html", "page"),
    cls=Renamed,
    type=PAGE,
    metavar="FILE",
    help="Write the comparison as a page, in one file that asks for nothing outside itself.",
)
@click.pass_context
def compare_command(
    ctx: click.Context,
    /,
    run1: Path,
    run2: Path,
    as_json: bool,
    page: Path | None,
) -> None:
    """Show what changed from the run directory RUN1 to RUN2: two encoders, precisions, seeds or versions of a set.

    \b
    Examples:
      fer-audit compare runs/keras runs/paper
      fer-audit compare runs/seed0 runs/seed1 --json
      fer-audit compare runs/keras runs/paper --page compare.html
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.audit.compare.run import ReadRun, compare_runs
    from fer_audit.cli.console import show
    from fer_audit.pipeline.finished import read_run
    from fer_audit.report.comparison import comparison_json, make_comparison
    from fer_audit.report.render.terminal import terminal_report

    refuse_to_share(ctx)
    runs = [
        ReadRun(name, run.result, run.rows, run.vectors)
        for name, run in zip(distinct_names(run1, run2), map(read_run, (run1, run2)), strict=True)
    ]
    comparison = compare_runs(*runs)
    report = make_comparison(comparison)
    if page is not None:
        refuse_no_folder(page, "--page")
        write_page(report, page)
    if as_json:
        answer_json(comparison_json(comparison))
    else:
        show(terminal_report(report))


def distinct_names(first: Path, second: Path) -> tuple[str, str]:
    """Return the shortest ends of two paths that differ: a page does not say where on a disk a run is."""
    one, two = (folder.resolve().parts for folder in (first, second))
    counts = range(1, max(len(one), len(two)))
    count = next((n for n in counts if one[-n:] != two[-n:]), 1)
    return "/".join(one[-count:]), "/".join(two[-count:])
