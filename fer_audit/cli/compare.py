"""compare: two finished runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fer_audit.audit.compare import ReadRun

_FOLDER = click.Path(path_type=Path)


@click.command("compare", short_help="Show what changed between two runs.")
@click.argument("run1", type=_FOLDER, metavar="RUN1")
@click.argument("run2", type=_FOLDER, metavar="RUN2")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the comparison as JSON (docs/compare.md)."
)
def compare_command(run1: Path, run2: Path, as_json: bool) -> None:
    """Show what changed from the run directory RUN1 to RUN2: two encoders, precisions, seeds or versions of a set.

    \b
    Examples:
      fer-audit compare runs/keras runs/paper
      fer-audit compare runs/seed0 runs/seed1 --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.audit.compare import compare_runs
    from fer_audit.cli.console import show
    from fer_audit.report.compare import comparison_json, comparison_view

    comparison = compare_runs(read_run(run1), read_run(run2))
    if as_json:
        click.echo(comparison_json(comparison), nl=False)
    else:
        show(comparison_view(comparison))


def read_run(folder: Path) -> ReadRun:
    """Read a finished run back; StoreError when something is missing or was changed."""
    from fer_audit.audit.compare import ReadRun
    from fer_audit.audit.vectors import measure_vectors
    from fer_audit.report.read_run import map_run_vectors, read_finished_result, read_run_rows

    result = read_finished_result(folder)
    rows = read_run_rows(folder / "rows.parquet", result)
    vectors = map_run_vectors(folder / "embeddings.npy", len(rows.ids))
    return ReadRun(
        name=str(folder),
        result=result,
        rows=rows,
        vectors=None if vectors is None else measure_vectors(vectors, rows.ok),
    )
