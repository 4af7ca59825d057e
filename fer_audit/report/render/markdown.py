"""Blocks as markdown, and the one place where text is escaped for it: nothing outside writes a name into markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fer_audit.report import blocks as b
from fer_audit.text import visible

FEW = " (fewer than 30 images)"
"""Marks a row that other renderings grey."""
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


def blocks_lines(blocks: Sequence[b.Block], *, level: int, least: b.Importance) -> list[str]:
    """Return blocks as finished lines, headings inside them of `level`; charts and pictures have none."""
    lines: list[str] = []
    for block in blocks:
        if not b.is_shown(block, least):
            continue
        if isinstance(block, b.Prose):
            lines += paragraph(block.text)
        elif isinstance(block, b.Heading):
            lines += heading(level, block.text)
        elif isinstance(block, b.Table):
            lines += _table(block)
        elif isinstance(block, b.Bullets):
            lines += bullets(block.items)
        elif isinstance(block, b.Facts):
            lines += table(("what", "value"), block.pairs, right=())
        elif isinstance(block, b.Statements):
            lines += bullets([_statement(each) for each in block.items])
        elif isinstance(block, b.Definitions):
            lines += bullets([f"{each.term}: {each.words}" for each in block.items])
        elif isinstance(block, b.Code):
            lines += code(block.text)
    return lines


def _statement(each: b.Statement) -> str:
    """Return a finding on one line: its sentence, its figures, what to do, and the list that names the files."""
    figures = f"({each.figures})" if each.figures else ""
    files = f"List: {each.files}" if each.files else ""
    return " ".join(filter(None, (f"{each.severity}: {each.text}", figures, each.do, files)))


def _table(block: b.Table) -> list[str]:
    columns, rows = b.without_drawings(block)
    right = [index for index, column in enumerate(columns) if column.right]
    lines = paragraph(block.title) if block.title else []
    lines += table(
        [column.title for column in columns],
        [
            [
                cell_text(cell) + (FEW if index in block.faint and not at else "")
                for at, cell in enumerate(row)
            ]
            for index, row in enumerate(rows)
        ],
        right=right,
    )
    return [*lines, *(paragraph(block.note) if block.note else [])]


def cell_text(cell: b.Cell) -> str:
    """Return a cell as plain text; a drawing has none."""
    if isinstance(cell, b.Sign):
        return f"{b.SIGNS[cell.state]} {cell.text}".strip()
    if isinstance(cell, b.Climb):
        return f"{cell.highest}/{len(cell.steps)}"
    if isinstance(cell, b.Strength):
        return cell.words
    return cell if isinstance(cell, str) else ""


def code(text: str) -> list[str]:
    """Return a text to copy, between fences that nothing in it can close."""
    lines = [visible(line) for line in text.splitlines()]
    longest = max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *lines, fence, ""]


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
