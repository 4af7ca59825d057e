"""bench: how fast this machine is, how near to its limit, and which settings suit it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fer_audit.cli.options import audit_config, model_options, resources
from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import ColumnList

IMAGES, FACE_SIZE, REPEATS, ROWS, BUDGET = 128, 200, 5, 20_000, 5.0
"""The defaults of `fer_audit.bench.options.BenchOptions`, which --help cannot wait for; a test compares them."""


@click.command("bench", short_help="Measure this machine.")
@click.argument("dataset", required=False, type=click.Path(path_type=Path), metavar="[DATASET]")
@click.option(
    "--images", type=int, default=IMAGES, show_default=True, help="Images through the model."
)
@click.option(
    "--face-size",
    type=int,
    default=FACE_SIZE,
    show_default=True,
    help="Pixels of a drawn face's side, without DATASET.",
)
@click.option(
    "--stages",
    type=ColumnList(),
    metavar="A,B",
    help="Only some of scan, decode (with resize), pack, embed, cluster, audit, report, run.",
)
@click.option(
    "--repeats", type=int, default=REPEATS, show_default=True, help="Samples of each stage."
)
@click.option(
    "--budget",
    type=float,
    default=BUDGET,
    show_default=True,
    help="Seconds after which a stage that is compared with no other is not repeated again.",
)
@click.option(
    "--rows",
    type=int,
    default=ROWS,
    show_default=True,
    help="Drawn vectors for cluster, audit and report, when few images are embedded.",
)
@model_options
@click.option(
    "--autotune",
    is_flag=True,
    help="Find and use the best threads and batch, and remember the threads.",
)
@click.option("--cache-dir", type=click.Path(path_type=Path), help="The cache to work in.")
@click.option("--models-dir", type=click.Path(path_type=Path), help="Where exports live.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with all raw seconds.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only errors.")
def bench_command(dataset: Path | None, as_json: bool, quiet: bool, **values: Any) -> None:  # noqa: ANN401 - options
    """Measure each stage alone and the whole run, on DATASET or on drawn faces.

    The bare model, embedding from packed pixels and embedding from files run in turns, after their vectors were found equal.
    Later runs of the same model on this machine use the threads that --autotune found, unless a file, the environment or a
    flag says otherwise. The batch it found is yours to set: another one changes last bits of the vectors.

    \b
    Examples:
      fer-audit bench
      fer-audit bench path/to/UTKFace --images 512 --json > bench.json
      fer-audit bench --stages embed --threads 1
      fer-audit bench --autotune --stages embed
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import Terminal, show

    config, places = audit_config(values), resources(values)
    with Terminal(quiet=quiet) as terminal:
        from fer_audit.bench.document import bench_json
        from fer_audit.bench.options import STAGES, BenchOptions
        from fer_audit.bench.run import run_bench

        options = BenchOptions(
            images=values["images"],
            face_size=values["face_size"],
            stages=values["stages"] or STAGES,
            repeats=values["repeats"],
            rows=values["rows"],
            budget_seconds=values["budget"],
            autotune=values["autotune"],
        )
        result = run_bench(
            dataset, options=options, config=config, resources=places, progress=terminal
        )
    if as_json:
        answer_json(bench_json(result))
        return
    from fer_audit.cli.bench_table import bench_report

    show(bench_report(result))
