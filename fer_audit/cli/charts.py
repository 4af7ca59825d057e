"""The charts of a page as files: options and the saving that `report` and `compare` share."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from fer_audit.cli.output import say
from fer_audit.cli.param_types import option, together
from fer_audit.errors import StoreError

if TYPE_CHECKING:
    from fer_audit.report.blocks import Report
    from fer_audit.report.charts.theme import FileKind

_FOLDER = click.Path(path_type=Path, file_okay=False)
PAGE = click.Path(path_type=Path, dir_okay=False)
chart_options = together(
    *(
        option(f"--{kind} DIR", f"Write each chart as a {kind.upper()} file.", type=_FOLDER)
        for kind in ("png", "svg", "pdf")
    )
)


def refuse_no_folder(page: Path, option: str) -> None:
    """Raise StoreError for a page that is to be written where there is no folder."""
    if not page.resolve().parent.is_dir():
        raise StoreError(
            f"Cannot write {page}: there is no folder {page.parent}",
            hint=f"Make it, or choose another {option}.",
        )


def write_page(report: Report, path: Path) -> None:
    """Write the report as a page and say so on stderr; StoreError when the place cannot be written."""
    from fer_audit.report.render.html import render_page
    from fer_audit.store.stage import write_text

    write_text(path, render_page(report))
    say(f"Page written to {path}")


def prepare_charts() -> None:
    """Let matplotlib keep its list of fonts in the user's cache of ours; call it before anything is drawn.

    Where there can be no such cache matplotlib chooses a temporary folder, and says so.
    """
    from fer_audit.pipeline.libraries import keep_libraries_in
    from fer_audit.store.stage import cache_folder

    with contextlib.suppress(StoreError):
        keep_libraries_in(cache_folder(None))


def write_charts(report: Report, folders: Mapping[str, Path | None]) -> None:
    """Save the charts of a report to the folders that were asked for, with their captions, and say so on stderr.

    Raises StoreError when a folder cannot be written.
    """
    from fer_audit.report.charts.theme import save_captions, save_charts
    from fer_audit.report.report import charts_of
    from fer_audit.text import counted

    asked = {cast("FileKind", kind): folder for kind, folder in folders.items() if folder}
    charts = charts_of(report) if asked else []
    written: dict[Path, int] = {}
    try:
        for kind, folder in asked.items():
            written[folder] = written.get(folder, 0) + len(save_charts(charts, folder, kind))
            save_captions(charts, folder)
    except StoreError as exc:
        hint = "Free some disk, or choose another folder for --png, --svg or --pdf."
        raise StoreError(str(exc), hint=hint) from exc
    for folder, amount in written.items():
        say(f"{counted(amount, 'chart')} written to {folder}")
