"""Types of option values that click does not have."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import click

from fer_audit.cli.groups import Option
from fer_audit.errors import StoreError

AUTO = "auto"
PATH = click.Path(path_type=Path)
MAX_NEAR = 3
"""Finished runs that are named where a path is none."""
STARTED, DONE = "STARTED.json", "DONE.json"
"""The marks of `fer_audit.pipeline.run_folder`, which --help cannot wait for."""

Param: TypeAlias = click.Parameter | None
Context: TypeAlias = click.Context | None


class FinishedRun(click.Path):
    """The directory of a run that is finished: it has its mark of completion."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:  # noqa: ANN401 - click's own
        """Return the path; StoreError says that it is no finished run, and names some that are near."""
        run = Path(os.fsdecode(super().convert(value, param, ctx)))
        if (run / DONE).is_file():
            return run
        marks = [
            mark for near in (run, run.parent, Path("runs")) for mark in near.glob(f"*/{DONE}")
        ]
        found = list(dict.fromkeys(str(mark.parent) for mark in marks))
        found = get_close_matches(str(run), found, n=MAX_NEAR, cutoff=0)
        there = f"Finished runs near it: {', '.join(found)}" if found else ""
        begun = "The same fer-audit run command finishes it. " if (run / STARTED).exists() else ""
        hint = f"{begun}{there}" or "`fer-audit run` makes one."
        raise StoreError(f"{run} is no finished run", hint=hint)


class Renamed(Option):
    """An option whose second name is its old one: still taken, no longer shown."""

    def __init__(self, names: list[str], **facts: Any) -> None:  # noqa: ANN401 - click's own
        old = [name for name in names if name.startswith("--")][1]
        super().__init__([name for name in names if name != old], old=old, **facts)


class Read(click.ParamType[Any]):
    """A value that a function reads from its text: what it raises ValueError of is wrong usage."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:  # noqa: ANN401 - what was read is not text any more
        """Read the text."""
        try:
            return self._read(value) if isinstance(value, str) else value
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


class Listed(Read):
    """Comma-separated names, e.g. fer-mini,fer-human; of those in `known`, if any are."""

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        super().__init__("|".join(known) or "name[,name...]", self._names)
        self.known = known

    def _names(self, value: str) -> tuple[str, ...]:
        names = _columns(value)
        for name in names:
            if not name or (self.known and name not in self.known):
                raise ValueError(f"{name!r} is none of {self.name}")
        return names


def flat(ctx: Context, param: Param, value: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the names of all lists that were given, one after the other."""
    return tuple(name for names in value for name in names)


def _columns(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(","))


def _name_column(value: str) -> tuple[str, str]:
    name, _, column = value.partition("=")
    if not name:
        raise ValueError(f"{value!r} has no name before the equals sign")
    return name, column or name


def _cluster_count(value: str) -> int | str:
    if value == AUTO:
        return AUTO
    try:
        number = int(value)
    except ValueError:
        raise ValueError(f"{value!r} is neither a number nor {AUTO}") from None
    if number < 1:
        raise ValueError(f"k is {number}; it must be at least 1")
    return number


def _ages(value: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        raise ValueError(f"{value!r} is not a list of ages such as 0,18,65") from None


def _numbers(value: str) -> tuple[float, ...]:
    try:
        parts = [[float(number) for number in part.split("/")] for part in value.split(",")]
        numbers = tuple(first / rest[0] if rest else first for first, *rest in parts)
    except (ValueError, ZeroDivisionError):
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{value!r} is not a list of numbers such as 1/255 or 103.9,116.8,123.7")
    return numbers


def _class_names(value: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    heads = []
    for part in value.split(";"):
        name, is_named, words = part.rpartition("=")
        if not is_named and "," not in words:
            name, words = words, ""  # one plain number, such as age
        classes = tuple(word.strip() for word in words.split(",")) if words.strip() else ()
        if "" in classes or len(set(classes)) != len(classes):
            raise ValueError(f"{value!r} has a class without a name, or one twice")
        heads.append((name.strip() or "class", classes))
    return tuple(heads)


ColumnList = partial(Read, "A,B", _columns)
"""gender,age_bin"""
NameColumn = partial(Read, "NAME=COLUMN", _name_column)
"""race=ethnicity, or race for a column of the same name"""
ClusterCount = partial(Read, f"N|{AUTO}", _cluster_count)
AgeBins = partial(Read, "AGES", _ages)
"""Lower ends, e.g. 0,18,65"""
Numbers = partial(Read, "A,B,C", _numbers)
"""Numbers or fractions, e.g. 1/58.395,1/57.12,1/57.375"""
ClassNames = partial(Read, "A,B,...", _class_names)
"""What a classifier's numbers are: "happy,sad", or "race=White,Black;age" where they are several things"""
