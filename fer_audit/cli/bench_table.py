"""A benchmark's result as something rich can print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from fer_audit.bench.types import BenchResult, StageSpeed

_CELLS = 10
WIDE_SPREAD = 0.25
"""A spread above this means that something else used the machine, or that it is too warm."""
BUSY = 0.5
"""Share of the cores that was at work before we were, above which speeds are those of what was left."""
_MEGABYTE = 1_000_000


def bench_report(result: BenchResult) -> RenderableType:
    """Return the whole result: what and where, the stages, the ratios, where the time goes, what to set."""
    from rich.console import Group

    from fer_audit.report.render.any_encoding import AnyEncoding

    parts: list[RenderableType] = [*_header(result), "", _stages(result)]
    parts += _unsteady(result)
    parts += _compared(result)
    if result.time_goes:
        parts += ["", _time_goes(result)]
    if result.trials:
        parts += ["", _trials(result)]
    parts += ["", _recommendations(result), "", *_fine_print(result)]
    return AnyEncoding(Group(*parts))


def _header(result: BenchResult) -> list[RenderableType]:
    machine, model, sample = result.machine, result.model, result.sample
    isa = ", ".join(machine.isa) or "instruction sets not known"
    load = "" if machine.load is None else f", load before {machine.load:.1f}"
    work = (
        "" if model.multiply_adds is None else f", {model.multiply_adds / 1e9:.3g} GMAC an image"
    )
    drawn = "drawn faces" if sample.source == "drawn" else f"images of {sample.listed:,}"
    failed = f", {sample.failed:,} of them unusable" if sample.failed else ""
    return [
        _bold("Benchmark of this machine"),
        f"machine  {machine.cpu}, {machine.usable_cores} usable cores ({isa}){load}",
        f"model    {model.name}, {model.precision}, sha256 {model.sha256[:12]}{work}",
        f"loaded   by {model.provider}, {model.threads} threads, batch {model.batch_size}, in {model.load_seconds:.2f} s",
        f"images   {sample.images:,} {drawn}{failed}, {sample.mean_file_bytes / 1000:.1f} kB a file, page cache {sample.page_cache}",
    ]


def _stages(result: BenchResult) -> Table:
    from rich.table import Table

    table = Table(title="Stages", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("min - max", justify="right", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("of roofline", no_wrap=True)
    for stage in result.stages:
        low, high = min(stage.rates), max(stage.rates)
        table.add_row(
            stage.stage,
            _number(stage.median),
            f"{stage.unit}/s",
            "one sample" if stage.spread is None else f"{_number(low)} - {_number(high)}",
            "" if stage.peak_bytes is None else f"{stage.peak_bytes / _MEGABYTE:,.0f}",
            _share(stage),
        )
    return table


def _share(stage: StageSpeed) -> Text | str:
    from fer_audit.report.render.terminal_bars import bar

    share = stage.share_of_roofline
    return "" if share is None else bar(share, full=1.0, cells=_CELLS).append(f" {share:.0%}")


def _unsteady(result: BenchResult) -> list[RenderableType]:
    """Say of every stage whose samples disagree that they do, and whether others were at work before."""
    lines: list[RenderableType] = []
    machine = result.machine
    if machine.load is not None and machine.load > BUSY * machine.usable_cores:
        lines.append(
            f"This machine was busy before ({machine.load:.1f} threads on {machine.usable_cores} cores): measure again when it is idle."
        )
    wide = [x for x in result.stages if x.spread is not None and x.spread > WIDE_SPREAD]
    if not wide:
        return lines
    names = ", ".join(f"{each.stage} {each.spread:.0%}" for each in wide)
    return [*lines, f"Unsteady (spread above {WIDE_SPREAD:.0%} of the median): {names}."]


def _compared(result: BenchResult) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for each in result.ratios:
        low, high = min(each.values), max(each.values)
        lines.append(f"{each.name}: {each.median:.3f} ({low:.3f} - {high:.3f}), same vectors")
    for roof in result.rooflines:
        lines.append(
            f"roofline: {roof.gflops:,.0f} G operations/s in {roof.precision} ({roof.by}, {roof.multiplied}, {roof.threads} threads)"
        )
    return ["", *lines] if lines else []


def _time_goes(result: BenchResult) -> Table:
    from rich.table import Table

    from fer_audit.report.render.terminal_bars import bar

    total = sum(seconds for _, seconds in result.time_goes)
    table = Table(
        title="Where the time of a whole run goes", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("stage", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("share", no_wrap=True)
    for stage, seconds in result.time_goes:
        share = seconds / total
        table.add_row(
            stage,
            f"{seconds:.2f}",
            bar(share, full=1.0, cells=_CELLS).append(f" {share:.0%}"),
        )
    return table


def _trials(result: BenchResult) -> Table:
    from rich.table import Table

    from fer_audit.report.render.terminal_bars import bar

    fastest = max(trial.images_per_second for trial in result.trials)
    table = Table(title="Settings tried", title_justify="left", box=None, pad_edge=False)
    table.add_column("threads", justify="right")
    table.add_column("batch", justify="right")
    table.add_column("images/s", justify="right")
    table.add_column("", no_wrap=True)
    for trial in result.trials:
        rate = trial.images_per_second
        shown = bar(rate, full=fastest, cells=_CELLS)
        table.add_row(str(trial.threads), str(trial.batch_size), f"{rate:.1f}", shown)
    return table


def _recommendations(result: BenchResult) -> Table:
    from rich.table import Table

    table = Table(title="What to set", title_justify="left", box=None, pad_edge=False)
    table.add_column("setting", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("why")
    for each in result.recommendations:
        how = "measured" if each.measured else "not measured"
        table.add_row(f"--{each.setting}", each.value, f"{each.reason} ({how})")
    return table


def _fine_print(result: BenchResult) -> list[RenderableType]:
    return [
        f"Peak memory is the whole process's resident set: {result.peak_method}.",
        f"Cluster, audit and report worked on: {result.rows}.",
        "Not measured: " + "; ".join(result.not_measured) + ".",
    ]


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _bold(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="bold")
