"""bench: how fast this machine is, compared with the bare model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_audit.cli.options import model_options
from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import PATH, ColumnList, Verb, flag, option
from fer_audit.cli.settings import audit_config, resources
from fer_audit.text import whole_percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from fer_audit.bench.types import BenchResult

IMAGES, REPEATS = 128, 5
"""The defaults of `fer_audit.bench.types.BenchOptions`, which --help cannot wait for; a test compares them."""
WIDE_SPREAD = 0.25
"""A spread above this means that something else used the machine, or that it is too warm."""
BUSY = 0.5
"""Share of the cores that was at work before we were, above which speeds are those of what was left."""


@click.command("bench", cls=Verb, short_help="Measure this machine.")
@click.argument("dataset", required=False, type=PATH, metavar="[DATASET]")
@option("--images", "Images through the model.", default=IMAGES)
@option(
    "--stages A,B", "Only some of scan, decode (with resize), pack, embed, run.", type=ColumnList()
)
@option("--repeats", "Samples of each stage.", default=REPEATS)
@model_options
@option("--cache-dir", "The cache to work in.", type=PATH)
@option("--models-dir", "Where exports live.", type=PATH)
@flag("--json as_json", "Print JSON with all raw seconds.")
@flag("-q --quiet", "No progress, only errors.")
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
        from fer_audit.bench.run import run_bench
        from fer_audit.bench.types import STAGES, BenchOptions

        asked = {name: values[name] for name in ("images", "repeats")}
        options = BenchOptions(**asked, stages=values["stages"] or STAGES)
        result = run_bench(
            dataset, options=options, config=config, resources=places, progress=terminal
        )
    if as_json:
        answer_json(result.json())
    else:
        show(bench_report(result))


def bench_report(result: BenchResult) -> RenderableType:
    """Return the whole result: what and where, the stages, the ratios, where the time goes."""
    from rich.console import Group
    from rich.text import Text

    from fer_audit.report.render.terminal_lines import Lines, bar

    machine, model, sample = result.machine, result.model, result.sample
    isa = ", ".join(machine.isa) or "instruction sets not known"
    load = "" if machine.load is None else f", load before {machine.load:.1f}"
    drawn = "drawn faces" if sample.source == "drawn" else f"images of {sample.listed:,}"
    failed = f", {sample.failed:,} of them unusable" if sample.failed else ""
    spans = (
        (stage, f"{_number(min(stage.rates))} - {_number(max(stage.rates))}")
        for stage in result.stages
    )
    rows = [
        (
            each.stage,
            _number(each.median),
            f"{each.unit}/s",
            "one sample" if each.spread is None else span,
        )
        for each, span in spans
    ]
    parts: list[RenderableType] = [
        Text("Benchmark of this machine", style="bold"),
        f"machine  {machine.cpu}, {machine.usable_cores} usable cores ({isa}){load}",
        f"model    {model.name}, {model.precision}, sha256 {model.sha256[:12]}",
        f"loaded   by {model.provider}, {model.threads} threads, batch {model.batch_size}, in {model.load_seconds:.2f} s",
        f"images   {sample.images:,} {drawn}{failed}, {sample.mean_file_bytes / 1000:.1f} kB a file, in the page cache",
        "",
        _table("Stages", ("stage", "median", "", "min - max"), (1, 3), rows),
    ]
    if machine.load is not None and machine.load > BUSY * machine.usable_cores:
        parts.append(
            f"This machine was busy before ({machine.load:.1f} threads on {machine.usable_cores} cores): measure again when it is idle."
        )
    wide = [(each.stage, each.spread) for each in result.stages if each.spread is not None]
    if names := [f"{name} {whole_percent(by)}" for name, by in wide if by > WIDE_SPREAD]:
        words = f"spread above {whole_percent(WIDE_SPREAD)} of the median"
        parts.append(f"Unsteady ({words}): {', '.join(names)}.")
    for ratio in result.ratios:
        low, high = min(ratio.values), max(ratio.values)
        parts.append(f"{ratio.name}: {ratio.median:.3f} ({low:.3f} - {high:.3f}), same vectors")
    if result.time_goes:
        total = sum(seconds for _, seconds in result.time_goes)
        shares = [(name, taken, taken / total) for name, taken in result.time_goes]
        bars = [
            (name, f"{taken:.2f}", bar(x, full=1.0, cells=10).append(f" {whole_percent(x)}"))
            for name, taken, x in shares
        ]
        title = "Where the time of a whole run goes"
        parts += ["", _table(title, ("stage", "seconds", "share"), (1,), bars)]
    parts += ["", "Not measured: " + "; ".join(result.not_measured) + "."]
    return Lines(Group(*parts))


def _table(
    title: str, names: Sequence[str], right: Sequence[int], rows: Iterable[Sequence[Any]]
) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
