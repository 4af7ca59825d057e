"""Words on stdout and stderr: the one place where the command line writes past rich, and nothing it writes is obeyed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from fer_audit.text import visible, visible_json


def say(message: str) -> None:
    """Print one line to stderr, harmless whatever a file, a group or a folder is called."""
    click.echo(visible(message), err=True)


def answer(line: str) -> None:
    """Print one line to stdout; what its encoding does not have becomes an escape, too."""
    shown = visible(line)
    if sys.stdout is not None:  # it is None when the shell closed it
        encoding = sys.stdout.encoding or "utf-8"
        shown = shown.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(shown)


def answer_path(path: Path) -> None:
    """Print a path to stdout: as words to a terminal, byte for byte to a program, which may want to open it."""
    if sys.stdout is None or sys.stdout.isatty():
        answer(str(path))
    else:
        click.echo(os.fsencode(path))


def answer_json(document: str) -> None:
    """Print a JSON document to stdout, as UTF-8 in every locale."""
    click.echo(visible_json(document).encode(), nl=False)
