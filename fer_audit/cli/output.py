"""Lines on stdout and stderr without rich; control characters in them are escaped."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from fer_audit.text import visible, visible_json


def say(message: str) -> None:
    """Print one line to stderr, whatever a file or a group in it is called."""
    click.echo(visible(message), err=True)


def nearest(word: str, known: Iterable[str], alike: float = 0.6) -> str:
    """Return "Did you mean ...?" with the known word that is most like one, at least `alike` of 1; else nothing."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=alike)
    return f"Did you mean {found[0]}?" if found else ""


def folder_name(words: Iterable[str]) -> str:
    """Return words as one name of a folder: a column may be called ../x."""
    return re.sub(r"[^\w-]+", "_", "-".join(words))


def answer(line: str) -> None:
    """Print one line to stdout; characters that its encoding lacks become escapes, too."""
    shown = visible(line)
    if sys.stdout is not None:  # it is None when the shell closed it
        encoding = sys.stdout.encoding or "utf-8"
        shown = shown.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(shown)


def answer_path(path: Path) -> None:
    """Print a path to stdout: escaped on a terminal, byte for byte to a program, which may open it."""
    if sys.stdout is None or sys.stdout.isatty():
        answer(str(path))
    else:
        click.echo(os.fsencode(path))


def answer_json(document: str) -> None:
    """Print a JSON document to stdout, as UTF-8 in every locale."""
    click.echo(visible_json(document).encode(), nl=False)
