"""compare: two finished runs, side by side."""

from __future__ import annotations

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
from fer_audit.cli.param_types import FinishedRun, Renamed
from fer_audit.cli.sharing import refuse_to_share

if TYPE_CHECKING:
    from fer_audit.audit.compare.run import ReadRun


@click.command("compare", short_help="Show what changed between two runs.")
@click.argument("run1", type=FinishedRun(), metavar="RUN1")
@click.argument("run2", type=FinishedRun(), metavar="RUN2")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the comparison as JSON (docs/compare.md)."
)
@click.option(
    "--page",
    "--html",
    "page",
    cls=Renamed,
    type=PAGE,
    metavar="FILE",
    help="Write the comparison as a page with charts, in one file that asks for nothing outside itself.",
)
@chart_options
@click.pass_context
def compare_command(
    ctx: click.Context,
    /,
    run1: Path,
    run2: Path,
    as_json: bool,
    page: Path | None,
    png: Path | None,
    svg: Path | None,
    pdf: Path | None,
) -> None:
    """Show what changed from the run directory RUN1 to RUN2: two encoders, precisions, seeds or versions of a set.

    \b
    Examples:
      fer-audit compare runs/keras runs/paper
      fer-audit compare runs/seed0 runs/seed1 --json
      fer-audit compare runs/keras runs/paper --page compare.html
      fer-audit compare runs/keras runs/paper --png figures --svg figures
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.audit.compare.run import compare_runs
    from fer_audit.cli.console import show
    from fer_audit.report.comparison import comparison_json, make_comparison
    from fer_audit.report.render.terminal import terminal_report

    refuse_to_share(ctx)
    names = distinct_names(run1, run2)
    comparison = compare_runs(*map(read_run, (run1, run2), names))
    report = make_comparison(comparison)
    if page or png or svg or pdf:
        prepare_charts()
    if page is not None:
        refuse_no_folder(page, "--page")
        write_page(report, page)
    if png or svg or pdf:
        write_charts(report, {"png": png, "svg": svg, "pdf": pdf})
    if as_json:
        answer_json(comparison_json(comparison))
    else:
        show(terminal_report(report))


def distinct_names(first: Path, second: Path) -> tuple[str, str]:
    """Return the shortest ends of two paths that differ: a page does not say where on a disk a run is."""
    ends = [folder.resolve().parts for folder in (first, second)]
    for count in range(1, max(map(len, ends))):
        one, other = ("/".join(parts[-count:]) for parts in ends)
        if one != other:
            return one, other
    return ends[0][-1], ends[1][-1]


def read_run(folder: Path, name: str = "") -> ReadRun:
    """Read a finished run back, named by its folder where no name is given; StoreError when something is missing or was changed."""
    from fer_audit.audit.compare.run import ReadRun
    from fer_audit.audit.compare.vectors import measure_vectors
    from fer_audit.report.files.read_run import (
        map_run_vectors,
        read_finished_result,
        read_run_rows,
    )

    result = read_finished_result(folder)
    rows = read_run_rows(folder / "rows.parquet", result)
    vectors = map_run_vectors(folder / "embeddings.npy", len(rows.ids))
    return ReadRun(
        name=name or folder.resolve().name,
        result=result,
        rows=rows,
        vectors=None if vectors is None else measure_vectors(vectors, rows.ok),
    )
