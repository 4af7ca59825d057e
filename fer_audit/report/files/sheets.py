"""The tables of a report as files for a paper: CSV, LaTeX (booktabs) or markdown."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator
from typing import Literal

from fer_audit.errors import ConfigError
from fer_audit.report.blocks import Report, Table, without_drawings
from fer_audit.report.files.rows import FORMULA
from fer_audit.report.render.markdown import cell_text, table
from fer_audit.text import visible

SheetFormat = Literal["csv", "latex", "md"]
MOST_WORDS = 4
"""Words of a title in a table's name."""
_NUMBER = re.compile(r"[+-]?[0-9.,]+( %)?( to [+-]?[0-9.,]+( %)?)?")
_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "±": r"$\pm$",
    "…": r"\ldots{}",
    "–": "--",
    "▲": r"$\uparrow$",
    "▼": r"$\downarrow$",
    "✓": "yes",
    "✗": "no",
}


def named_tables(report: Report) -> dict[str, Table]:
    """Return every table of a report by its name: the section's key, with the title where a section has several."""
    found: dict[str, Table] = {}
    for section in report.sections:
        tables = [block for block in section.blocks if isinstance(block, Table)]
        for number, each in enumerate(tables):
            words = re.findall(r"[a-z]+", each.title.lower())[:MOST_WORDS]
            name = "-".join([section.key, *words]) if number else section.key
            while name in found:
                name += "-more"
            found[name] = each
    return found


def sheet(report: Report, name: str, form: SheetFormat) -> str:
    """Return one table as text in a form. Raises ConfigError for a table that there is not."""
    tables = named_tables(report)
    if name not in tables:
        near = difflib.get_close_matches(name, tables, n=1)
        titled = (f"{x} ({found.title})" if found.title else x for x, found in tables.items())
        hint = f"Did you mean {near[0]}? " if near else ""
        hint += f"It has: {'; '.join(titled)}"
        raise ConfigError(f"--table {name}: the report has no such table", hint=hint)
    columns, cells = without_drawings(tables[name])
    titles = [visible(x.title) or "name" * (not index) for index, x in enumerate(columns)]
    rows = [[visible(cell_text(cell)) for cell in row] for row in cells]
    if form == "csv":
        text = io.StringIO()
        guarded = ([_guarded(cell) for cell in row] for row in (titles, *rows))
        csv.writer(text, lineterminator="\n").writerows(guarded)
        return text.getvalue()
    right = [index for index, column in enumerate(columns) if column.right]
    if form == "md":
        return "\n".join(table(titles, rows, right=right))
    return "\n".join(_latex(visible(tables[name].title), titles, rows, right))


def _guarded(cell: str) -> str:
    """Put a ' before what a spreadsheet would take for a formula; a signed number or interval is none."""
    return f"'{cell}" if re.match(FORMULA, cell) and not _NUMBER.fullmatch(cell) else cell


def _latex(
    title: str, titles: list[str], rows: list[list[str]], right: list[int]
) -> Iterator[str]:
    spec = "".join("r" if index in right else "l" for index in range(len(titles)))
    yield r"% needs \usepackage{booktabs}"
    yield r"\begin{table}"
    if title:
        yield rf"  \caption{{{_escaped(title)}}}"
    yield rf"  \begin{{tabular}}{{{spec}}}"
    yield r"    \toprule"
    yield rf"    {' & '.join(map(_escaped, titles))} \\"
    yield r"    \midrule"
    for row in rows:
        yield rf"    {{}}{' & '.join(map(_escaped, row))} \\"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"
    yield ""


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)
