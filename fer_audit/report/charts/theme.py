"""How every chart looks, and how it becomes a file or a part of a page.

A chart is as wide as a column of a paper (85 mm), with letters of 7 points: it can be read there, on a phone, and as one of
several next to each other on a laptop. Its inks are the page's: in the page, each becomes a CSS variable that follows light
and dark.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from markupsafe import escape

from fer_audit.report.charts.chart import Chart
from fer_audit.report.render.markdown import escaped
from fer_audit.store.stage import make_folder, write_atomically, write_text
from fer_audit.text import visible, whole_percent

if TYPE_CHECKING:  # matplotlib takes 0.6 s to load, so it waits until something is drawn
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

COLUMN = 3.35
"""Inches: 85 mm, one column of a two-column paper."""
WIDE = 7.0
"""Inches: both columns."""

INK = "#1b1f23"
MUTED = "#59636e"
RULE = "#c9d0d7"
BAND = "#e4e8ec"
_VARIABLES = {INK: "--ink", MUTED: "--muted", RULE: "--rule", BAND: "--band"}

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 7.5,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same letters on every machine
    "font.size": 7,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "hatch.color": MUTED,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.2,
    "path.simplify": True,
    "savefig.facecolor": "none",
    "svg.hashsalt": "fer-audit",  # the same chart gives the same bytes
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a group's name is a dollar sign
    **{
        f"{axis}tick.{name}": value
        for axis in "xy"
        for name, value in (
            *(("color", MUTED), ("labelcolor", INK), ("labelsize", 6.5)),
            *(("major.size", 2.5), ("major.width", 0.5)),
        )
    },
}

Keyword: TypeAlias = Any
"""A keyword that is matplotlib's own: a colour, a size, a line style."""
FileKind = Literal["png", "svg", "pdf"]
_PNG_DPI = 300
_PIXELS = 96 / 72
"""CSS pixels a point: on the page a chart is as large as on paper."""


@contextmanager
def style(more: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Draw within this, so that nobody's own matplotlib settings leak in, nor ours out."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that DejaVu Sans lacks: the page's own font has it, a PNG shows boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        settings: Any = {**_STYLE, **more}
        mpl.rcParams.update(settings)
        yield


def new_figure(height: float, *, width: float = COLUMN) -> Figure:
    """Return an empty figure of so many inches; its parts find room for themselves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=0.02, h_pad=0.02)  # type: ignore[call-arg]  # constrained layout's own keywords
    return figure


def one_panel(height: float, *, width: float = COLUMN) -> tuple[Figure, Axes]:
    """Return a figure of one panel."""
    figure = new_figure(height, width=width)
    return figure, figure.subplots()


def bare(axes: Axes) -> None:
    """Take the frame and the marks off, where rows are named and bars start at a common line."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name rows 0, 1, ... from the top down."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def finish(
    axes: Axes,
    label: str = "",
    *,
    rows: Sequence[str] = (),
    span: tuple[float, float] | None = None,
    steps: int = 4,
    percent: bool = False,
) -> None:
    """Finish a panel of named rows: their names, the span of its axis in few round steps (0: as they are), its label, a grid."""
    if rows:
        name_rows(axes, rows)
    if span is not None:
        axes.set_xlim(*span)
    if steps:
        few_ticks(axes.xaxis, steps, percent=percent)
    axes.set_xlabel(label)
    bare(axes)
    axes.grid(axis="x")


def few_ticks(axis: Axis, most: int = 4, *, percent: bool = False, integer: bool = False) -> None:
    """Have at most so many steps on an axis, at round numbers, of shares as per cent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(most, integer=integer))
    if percent:
        axis.set_major_formatter(FuncFormatter(lambda x, _: whole_percent(x)))


def write_next_to(axes: Axes, words: str, at: tuple[float, float], **how: Keyword) -> None:
    """Write words a little to the right of a point, or to the left where `gap` is negative."""
    gap = how.pop("gap", 4)
    how = {"va": "center", "fontsize": 6.5, **how}
    axes.annotate(words, at, xytext=(gap, 0), textcoords="offset points", **how)


def frame_cell(axes: Axes, column: int, row: float, height: float, **how: Keyword) -> None:
    """Draw a frame around a cell of a table, one row high where height is 1."""
    from matplotlib.patches import Rectangle

    corner = (column - 0.46, row - height / 2)
    axes.add_patch(Rectangle(corner, 0.92, height, **{"fill": False, **how}))


def point(axes: Axes, at: tuple[float, float], words: str, mark: str = "", **how: Keyword) -> None:
    """Draw one point, a dot where `how` says nothing else, that the page can tell of."""
    (drawn,) = axes.plot([at[0]], [at[1]], **{"marker": "o", "color": INK, **how})
    tell(drawn, words, mark)


_TOLD: WeakKeyDictionary[Figure, list[tuple[str, str]]] = WeakKeyDictionary()


def tell(artist: Artist, words: str, mark: str = "") -> None:
    """Let the page say what a bar or a point stands for; `mark` is the group or the cluster that it is of."""
    figure = artist.get_figure(root=True)
    if figure is None:
        raise RuntimeError("only what is drawn can be told")
    told = _TOLD.setdefault(figure, [])
    artist.set_gid(f"told-{len(told)}")
    told.append((words, mark))


_DRAWN: ContextVar[MutableMapping[str, str] | None] = ContextVar("drawn", default=None)


@contextmanager
def drawn_before(drawn: MutableMapping[str, str]) -> Iterator[None]:
    """Take the charts of a page from `drawn`, by key, and add those that it does not hold: each costs 0.1 s."""
    token = _DRAWN.set(drawn)
    try:
        yield
    finally:
        _DRAWN.reset(token)


def page_svg(chart: Chart) -> str:
    """Return the chart as an <svg> element for a page: ids of its own, inks as CSS variables, letters as text."""
    drawn = _DRAWN.get()
    if drawn is None or chart.key not in drawn:
        svg = _page_svg(chart)
        drawn = {} if drawn is None else drawn
        drawn[chart.key] = svg
    return drawn[chart.key]


def _page_svg(chart: Chart) -> str:
    """Draw the chart. Group names come from strangers: matplotlib's writer escapes them, and none is parsed here."""
    with style({"svg.fonttype": "none"}):
        figure = chart.draw()
        text = _file(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    head, body = text.split(">", 1)
    view = re.search(r'viewBox="([0-9. ]+)"', head)
    if view is None:
        raise RuntimeError("matplotlib wrote an SVG without a viewBox")
    width = float(view[1].split()[2])
    # The prefix keeps ids apart between the charts of a page. Only inside tags: text is a stranger's.
    body = re.sub(r"<[^>]+>", lambda tag: _own_ids(tag[0], chart.key), body)
    for number, (words, mark) in enumerate(_TOLD.get(figure, ())):
        marked = f' data-mark="{escape(visible(mark))}"' if mark else ""
        group = f'<g id="{chart.key}-told-{number}"'
        told = f'{group} class="told"{marked}><title>{escape(visible(words))}</title>'
        body = body.replace(f"{group}>", told, 1)
    label = escape(visible(chart.alt))
    size = f'viewBox="{view[1]}" width="{width * _PIXELS:.0f}"'
    return f'<svg {size} role="img" aria-label="{label}">{body}'


def _own_ids(tag: str, key: str) -> str:
    tag = tag.replace("xlink:href=", "href=")
    tag = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{key}-", tag)
    for ink, variable in _VARIABLES.items():
        tag = tag.replace(ink, f"var({variable})")
    return tag


def _file(figure: Figure, kind: FileKind, title: str = "") -> bytes:
    """Return a figure as the bytes of a file that says nothing of when and with what it was made."""
    facts: dict[FileKind, Keyword] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None, "Title": title},
        "png": {"Software": None},
    }
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format=kind, metadata=facts[kind], dpi=_PNG_DPI if kind == "png" else "figure"
    )
    return buffer.getvalue()


def save_chart(chart: Chart, path: Path, kind: FileKind) -> None:
    """Write one chart as a file fit for a paper: white ground, letters as outlines (SVG), embedded (PDF) or 300 dots an inch."""
    with style({"svg.fonttype": "path", "pdf.fonttype": "42", "savefig.facecolor": "white"}):
        data = _file(chart.draw(), kind, chart.title)
    write_atomically(path, lambda file: file.write(data))


def save_charts(charts: Sequence[Chart], folder: Path, kind: FileKind) -> list[Path]:
    """Write each chart as a file named by its key; return the files. Raises StoreError when the folder cannot be written."""
    make_folder(folder)
    paths = [folder / f"{chart.key}.{kind}" for chart in charts]
    for chart, path in zip(charts, paths, strict=True):
        save_chart(chart, path, kind)
    return paths


def save_captions(charts: Sequence[Chart], folder: Path) -> Path:
    """Write captions.md: of each chart its file name, title, what it shows and how to read it."""
    path = folder / "captions.md"
    lines = [
        f"- **{escaped(each.key)}**: {escaped(' '.join(filter(None, (f'{each.title}.', each.alt, each.note))))}"
        for each in charts
    ]
    write_text(path, "\n".join(lines) + "\n")
    return path
