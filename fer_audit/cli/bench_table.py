"""A benchmark's result as something rich can print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_audit.text import whole_percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from fer_audit.bench.types import BenchResult

_CELLS = 10
WIDE_SPREAD = 0.25
"""A spread above this means that something else used the machine, or that it is too warm."""
BUSY = 0.5
"""Share of the cores that was at work before we were, above which speeds are those of what was left."""


def bench_report(result: BenchResult) -> RenderableType:
    """Return the whole result: what and where, the stages, the ratios, where the time goes."""
    from rich.console import Group

    from fer_audit.report.render.terminal_lines import Lines

    parts: list[RenderableType] = [*_header(result), "", _stages(result), *_unsteady(result)]
    for ratio in result.ratios:
        low, high = min(ratio.values), max(ratio.values)
        parts.append(f"{ratio.name}: {ratio.median:.3f} ({low:.3f} - {high:.3f}), same vectors")
    if result.time_goes:
        parts += ["", _time_goes(result)]
    parts += ["", "Not measured: " + "; ".join(result.not_measured) + "."]
    return Lines(Group(*parts))


def _header(result: BenchResult) -> list[RenderableType]:
    from rich.text import Text

    machine, model, sample = result.machine, result.model, result.sample
    isa = ", ".join(machine.isa) or "instruction sets not known"
    load = "" if machine.load is None else f", load before {machine.load:.1f}"
    drawn = "drawn faces" if sample.source == "drawn" else f"images of {sample.listed:,}"
    failed = f", {sample.failed:,} of them unusable" if sample.failed else ""
    return [
        Text("Benchmark of this machine", style="bold"),
        f"machine  {machine.cpu}, {machine.usable_cores} usable cores ({isa}){load}",
        f"model    {model.name}, {model.precision}, sha256 {model.sha256[:12]}",
        f"loaded   by {model.provider}, {model.threads} threads, batch {model.batch_size}, in {model.load_seconds:.2f} s",
        f"images   {sample.images:,} {drawn}{failed}, {sample.mean_file_bytes / 1000:.1f} kB a file, in the page cache",
    ]


def _stages(result: BenchResult) -> Table:
    from rich.table import Table

    table = Table(title="Stages", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("min - max", justify="right", no_wrap=True)
    for stage in result.stages:
        low, high = min(stage.rates), max(stage.rates)
        table.add_row(
            stage.stage,
            _number(stage.median),
            f"{stage.unit}/s",
            "one sample" if stage.spread is None else f"{_number(low)} - {_number(high)}",
        )
    return table


def _unsteady(result: BenchResult) -> list[RenderableType]:
    """Return a line where the machine was busy before, and one where samples of a stage disagree."""
    lines: list[RenderableType] = []
    machine = result.machine
    if machine.load is not None and machine.load > BUSY * machine.usable_cores:
        lines.append(
            f"This machine was busy before ({machine.load:.1f} threads on {machine.usable_cores} cores): measure again when it is idle."
        )
    wide = [
        f"{stage.stage} {whole_percent(stage.spread)}"
        for stage in result.stages
        if stage.spread is not None and stage.spread > WIDE_SPREAD
    ]
    if wide:
        names = ", ".join(wide)
        lines.append(
            f"Unsteady (spread above {whole_percent(WIDE_SPREAD)} of the median): {names}."
        )
    return lines


def _time_goes(result: BenchResult) -> Table:
    from rich.table import Table

    from fer_audit.report.render.terminal_lines import bar

    total = sum(seconds for _, seconds in result.time_goes)
    table = Table(
        title="Where the time of a whole run goes", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("stage", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("share", no_wrap=True)
    for stage, seconds in result.time_goes:
        share = seconds / total
        shown = bar(share, full=1.0, cells=_CELLS).append(f" {whole_percent(share)}")
        table.add_row(stage, f"{seconds:.2f}", shown)
    return table


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
