"""Markdown that only says what it is given: the one place where text is escaped for it.

Every function here takes plain text and returns finished lines; nothing outside of it writes a name into markdown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fer_audit.text import visible

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&$]")
r"""What could open a span, a link, a tag, an entity, a formula, a template or a table cell; CommonMark lets any be \escaped."""
_LINKED = re.compile(r":(?=\S)|(?<=www)\.", re.IGNORECASE)
"""Readers of GitHub's dialect make links of bare http://, mailto: and www."""
_FIRST = re.compile(r"^(?=[-+=#])")
"""At the start of a line: a list, an underline, a heading."""
_NUMBERED = re.compile(r"^(\d{1,9})(?=[.)](?:\s|$))")


def escaped(text: str) -> str:
    r"""Return a text as one line of markdown that reads exactly like it: nothing in it is markup, HTML or a link.

    What cannot be seen (ESC, newlines, bidi controls) becomes `\xNN`, `\uNNNN` first, as on a terminal. A run of
    spaces becomes one. An e-mail address may still become a link in readers that look for them.
    """
    shown = " ".join(visible(text).split())
    shown = _SPECIAL.sub(r"\\\g<0>", shown)
    shown = _LINKED.sub(r"\\\g<0>", shown)
    return _NUMBERED.sub(r"\1\\", _FIRST.sub(r"\\", shown))


def heading(level: int, text: str) -> list[str]:
    """Return a heading of level 1 to 6."""
    return [f"{'#' * level} {escaped(text)}", ""]


def paragraph(text: str) -> list[str]:
    """Return a paragraph."""
    return [escaped(text), ""]


def bullets(texts: Sequence[str]) -> list[str]:
    """Return a list, one line each; nothing for no text."""
    return [*(f"- {escaped(text)}" for text in texts), ""] if texts else []


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int]
) -> list[str]:
    """Return a table in GitHub's dialect; the columns of the indices in `right` are set flush right."""
    rule = ["---:" if index in right else "---" for index in range(len(titles))]
    lines = [_row([escaped(title) for title in titles]), _row(rule)]
    return [*lines, *(_row([escaped(cell) for cell in row]) for row in rows), ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
