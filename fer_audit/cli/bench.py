"""bench: how fast this machine is, compared with the bare model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fer_audit.cli.chosen import audit_config, resources
from fer_audit.cli.groups import Verb
from fer_audit.cli.options import model_options
from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import PATH, ColumnList

IMAGES, REPEATS = 128, 5
"""The defaults of `fer_audit.bench.options.BenchOptions`, which --help cannot wait for; a test compares them."""


@click.command("bench", cls=Verb, short_help="Measure this machine.")
@click.argument("dataset", required=False, type=PATH, metavar="[DATASET]")
@click.option(
    "--images", type=int, default=IMAGES, show_default=True, help="Images through the model."
)
@click.option(
    "--stages",
    type=ColumnList(),
    metavar="A,B",
    help="Only some of scan, decode (with resize), pack, embed, run.",
)
@click.option(
    "--repeats", type=int, default=REPEATS, show_default=True, help="Samples of each stage."
)
@model_options
@click.option("--cache-dir", type=PATH, help="The cache to work in.")
@click.option("--models-dir", type=PATH, help="Where exports live.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with all raw seconds.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only errors.")
def bench_command(dataset: Path | None, as_json: bool, quiet: bool, **values: Any) -> None:  # noqa: ANN401 - options
    """Measure each stage alone and the whole run, on DATASET or on drawn faces.

    The bare model, embedding from packed pixels and embedding from files run in turns, after their vectors were found equal.

    \b
    Examples:
      fer-audit bench
      fer-audit bench path/to/UTKFace --images 512 --json > bench.json
      fer-audit bench --stages embed --threads 1
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import Terminal, show

    config, places = audit_config(values), resources(values)
    with Terminal(quiet=quiet) as terminal:
        from fer_audit.bench.document import bench_json
        from fer_audit.bench.options import STAGES, BenchOptions
        from fer_audit.bench.run import run_bench

        options = BenchOptions(
            images=values["images"],
            stages=values["stages"] or STAGES,
            repeats=values["repeats"],
        )
        result = run_bench(
            dataset, options=options, config=config, resources=places, progress=terminal
        )
    if as_json:
        answer_json(bench_json(result))
        return
    from fer_audit.cli.bench_table import bench_report

    show(bench_report(result))
