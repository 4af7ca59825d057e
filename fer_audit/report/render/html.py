"""A `Report` as HTML: the one door through which text becomes markup.

Every value that a template writes is made visible (no control characters, no turned writing direction) and escaped. Only
two things are markup already: what matplotlib drew, and the stylesheet and script that ship with the package.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fer_audit.report import blocks as b
from fer_audit.report.charts.theme import page_svg
from fer_audit.report.render.markdown import cell_text
from fer_audit.text import rounded_percent, visible

_OURS = re.compile(r"lists/\w+\.(csv|txt)|result\.json|rows\.parquet", re.ASCII)
"""Files of a run directory that a page may link to; what a stranger's result names is text."""


def render_page(report: b.Report) -> str:
    """Return the report as one HTML document that asks for nothing outside itself. The same report gives the same bytes."""
    environment = _environment()
    body = environment.get_template("body.html.j2").render(
        page=report, linked=report.linked, sections_here=[each.key for each in report.sections]
    )
    # The nonce depends on every byte of the page: no name in it can have been chosen to fit.
    nonce = hashlib.sha256(body.encode()).hexdigest()[:32]
    whole = environment.get_template("page.html.j2")
    return whole.render(page=report, body=Markup(body), nonce=nonce)  # rendered above


def render_fragment(report: b.Report, least: b.Importance = "summary") -> str:
    """Return the blocks of at least this importance as HTML without a script or a document around it, for a notebook."""
    template = _environment().get_template("fragment.html.j2")
    return template.render(
        page=report,
        linked=False,
        sections_here=(),
        sections=[
            (section.title, shown)
            for section in report.sections
            if (shown := [block for block in section.blocks if b.is_shown(block, least)])
        ],
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fer_audit.report.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters.update(
        svg=lambda chart: Markup(page_svg(chart)),  # drawn by matplotlib, which escapes every name
        base64=lambda data: base64.b64encode(data).decode("ascii"),
        kind=lambda block: type(block).__name__.lower(),
        drawn=lambda block: [chart for chart in block.make() if chart is not None],
        without_drawings=b.without_drawings,
        cell=cell_text,
        css=lambda share: f"{100 * share:.1f}%",
        share=rounded_percent,
    )
    environment.tests["ours"] = lambda path: _OURS.fullmatch(path) is not None
    environment.tests["climb"] = lambda cell: isinstance(cell, b.Climb)
    environment.tests["strength"] = lambda cell: isinstance(cell, b.Strength)
    environment.globals.update(style=_own("page.css"), script=_own("page.js"))
    return environment


def _shown(value: object) -> object:
    """Make visible what a stranger may have named; markup of ours passes."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _own(name: str) -> Markup:
    """Return a file of this package."""
    text = files("fer_audit.report.render").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(text)  # ours
