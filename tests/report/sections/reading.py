"""A section's blocks as a reader of any medium has them: sentences and cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from fer_audit.report import blocks as b

Found = TypeVar("Found")


def blocks_of(section: b.Section | None, kind: type[Found]) -> list[Found]:
    """Return the blocks of one kind."""
    blocks = () if section is None else section.blocks
    return [block for block in blocks if isinstance(block, kind)]


def sentences(section: b.Section | None) -> list[str]:
    """Return every text outside tables, in order."""
    return [] if section is None else list(_sentences(section))


def said(section: b.Section | None) -> str:
    """Return every text outside tables as one."""
    return "\n".join(sentences(section))


def tables(section: b.Section | None) -> dict[str, b.Table]:
    """Return the tables by their titles."""
    return {block.title: block for block in blocks_of(section, b.Table)}


def rows(section: b.Section | None, title: str) -> list[dict[str, str]]:
    """Return the rows of a table, each cell by the title of its column; drawings are left out."""
    table = tables(section)[title]
    names = [column.title for column in table.columns]
    return [
        {
            name: text
            for name, cell in zip(names, row, strict=True)
            if (text := words(cell)) is not None
        }
        for row in table.rows
    ]


def words(cell: b.Cell) -> str | None:
    """Return a cell in words; None for a bar or an interval."""
    if isinstance(cell, b.Sign):
        return f"{b.SIGNS[cell.state]} {cell.text}".strip()
    if isinstance(cell, (b.Climb, b.Strength)):
        return cell.words
    return cell if isinstance(cell, str) else None


def _sentences(section: b.Section) -> Iterator[str]:
    yield section.title
    for block in section.blocks:
        if isinstance(block, (b.Prose, b.Heading, b.Code)):
            yield block.text
        elif isinstance(block, b.Bullets):
            yield from block.items
        elif isinstance(block, b.Facts):
            yield from (f"{name}: {value}" for name, value in block.pairs)
        elif isinstance(block, b.Statements):
            yield from (
                " ".join(filter(None, (f"{x.severity}: {x.text}", x.figures, x.do, x.files)))
                for x in block.items
            )
        elif isinstance(block, b.Definitions):
            yield from (f"{each.term}: {each.words}" for each in block.items)
        elif isinstance(block, b.Table) and block.note:
            yield block.note
