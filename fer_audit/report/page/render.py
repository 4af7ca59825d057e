"""A `Page` as HTML: the one door through which text becomes markup.

Every value that a template writes is made visible (no control characters, no turned writing direction) and escaped. Only
two things are markup already: what matplotlib drew, and the stylesheet and script that ship with the package.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.theme import page_svg
from fer_audit.report.page.blocks import Page
from fer_audit.text import visible


def render_page(page: Page) -> str:
    """Return the page as one HTML document that asks for nothing outside itself. The same page gives the same bytes."""
    environment = _environment()
    body = environment.get_template("body.html.j2").render(page=page)
    # The nonce depends on every byte of the page: no name in it can have been chosen to fit.
    nonce = hashlib.sha256(body.encode()).hexdigest()[:32]
    whole = environment.get_template("page.html.j2")
    return whole.render(page=page, body=Markup(body), nonce=nonce)  # rendered above


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fer_audit.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["svg"] = _svg
    environment.filters["base64"] = _base64
    environment.globals["style"] = _own("page.css")
    environment.globals["script"] = _own("page.js")
    return environment


def _shown(value: object) -> object:
    """Make visible what a stranger may have named; markup of ours passes."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _svg(chart: Chart) -> Markup:
    return Markup(page_svg(chart))  # drawn by matplotlib, which escapes every name


def _own(name: str) -> Markup:
    """Return a file of this package."""
    text = files("fer_audit.report.page").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(text)  # ours
