"""The chart of README's section on speed: a bar for each peer, its range as a whisker, the text kept as text."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fer_audit.report.charts.theme import INK, MUTED, WIDE, bare, new_figure, style

GROUPS = {
    "ours": ("#0072b2", "fer-audit"),
    "model": ("#8a929a", "the model alone, inputs in memory: the ceiling"),
    "others": ("#e69f00", "others, from files to vectors"),
}
"""Group -> (colour of Okabe and Ito, what it is)."""

ROW = 0.2
"""Inches."""


def save_speed_chart(result: Mapping[str, Any], path: Path) -> None:
    """Write the chart of the case `embed`; the same result gives the same bytes."""
    with style(), mpl.rc_context({"svg.fonttype": "none", "savefig.facecolor": "white"}):
        figure = _draw(result)
        FigureCanvasSVG(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(buffer.getvalue(), encoding="utf-8")


def _draw(result: Mapping[str, Any]) -> Figure:
    peers = [peer for peer in result["peers"].values() if "per_second" in peer]
    peers.sort(key=lambda peer: peer["per_second"]["median"], reverse=True)
    figure = new_figure(0.75 + ROW * len(peers), width=WIDE)
    axes = figure.subplots()
    for row, peer in enumerate(peers):
        speed = peer["per_second"]
        middle, low, high = (speed[key] for key in ("median", "min", "max"))
        axes.barh(row, middle, height=0.66, color=GROUPS[peer["group"]][0])
        axes.errorbar(
            middle,
            row,
            xerr=[[middle - low], [high - middle]],
            color=INK,
            elinewidth=0.8,
            capsize=2,
            capthick=0.8,
        )
        axes.annotate(
            f"{middle:.1f}",
            (high, row),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=MUTED,
        )
    axes.set_yticks(range(len(peers)), [peer["label"] for peer in peers])
    axes.set_ylim(len(peers) - 0.4, -0.6)
    axes.set_xlim(left=0)
    bare(axes)
    axes.grid(axis="x")
    machine, repeats = result["machine"], result["repeats"]
    axes.set_xlabel(
        f"images a second: median and range of {repeats} interleaved repeat{'s' if repeats != 1 else ''}, "
        f"{machine['usable_cores']} cores of {machine['cpu']}"
    )
    shown = [group for group in GROUPS if any(peer["group"] == group for peer in peers)]
    figure.legend(
        handles=[Patch(color=GROUPS[group][0], label=GROUPS[group][1]) for group in shown],
        loc="outside upper left",
        ncols=3,
    )
    return figure
