"""Types of option values that click does not have."""

from __future__ import annotations

import math
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

import click

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


class Renamed(click.Option):
    """An option whose second name is its old one: still taken, no longer shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the line of `--help` without the old name."""
        record = super().get_help_record(ctx)
        return record and (record[0].replace(f", {self.opts[1]}", ""), record[1])


class NameColumn(click.ParamType[tuple[str, str]]):
    """`race=ethnicity`, or `race` for a column of the same name."""

    name = "NAME=COLUMN"

    def convert(self, value: str | tuple[str, str], param: Param, ctx: Context) -> tuple[str, str]:
        """Split at the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, _, column = value.partition("=")
        if not name:
            self.fail(f"{value!r} has no name before the equals sign", param, ctx)
        return name, column or name


class ClusterCount(click.ParamType[int | str]):
    """A number of clusters, or the word auto."""

    name = "N|auto"

    def convert(self, value: str | int, param: Param, ctx: Context) -> int | str:
        """Read the number."""
        if value == AUTO:
            return AUTO
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor {AUTO}", param, ctx)
        if number < 1:
            self.fail(f"k is {number}; it must be at least 1", param, ctx)
        return number


class AgeBins(click.ParamType[tuple[int, ...]]):
    """Comma-separated lower ends, e.g. 0,18,65."""

    name = "AGES"

    def convert(self, value: str | tuple[int, ...], param: Param, ctx: Context) -> tuple[int, ...]:
        """Read the numbers."""
        if not isinstance(value, str):
            return value
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of ages such as 0,18,65", param, ctx)


class ColumnList(click.ParamType[tuple[str, ...]]):
    """Comma-separated names, e.g. gender,age_bin."""

    name = "A,B"

    def convert(self, value: str | tuple[str, ...], param: Param, ctx: Context) -> tuple[str, ...]:
        """Split at the commas."""
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(","))


class NameList(click.ParamType[tuple[str, ...]]):
    """Comma-separated names, e.g. fer-mini,fer-human; of those in `known`, if any are."""

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self.known = known
        self.name = "|".join(known) or "name[,name...]"

    def convert(self, value: str | tuple[str, ...], param: Param, ctx: Context) -> tuple[str, ...]:
        """Split at the commas."""
        if not isinstance(value, str):
            return value
        names = tuple(part.strip() for part in value.split(","))
        for name in names:
            if not name or (self.known and name not in self.known):
                self.fail(f"{name!r} is none of {self.name}", param, ctx)
        return names


def flat(ctx: Context, param: Param, value: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the names of all lists that were given, one after the other."""
    return tuple(name for names in value for name in names)


class Numbers(click.ParamType[tuple[float, ...]]):
    """Comma-separated numbers or fractions, e.g. 1/58.395,1/57.12,1/57.375."""

    name = "A,B,C"

    def convert(
        self, value: str | tuple[float, ...], param: Param, ctx: Context
    ) -> tuple[float, ...]:
        """Read the numbers."""
        if not isinstance(value, str):
            return value
        try:
            parts = [[float(number) for number in part.split("/")] for part in value.split(",")]
            numbers = tuple(first / rest[0] if rest else first for first, *rest in parts)
        except (ValueError, ZeroDivisionError):
            numbers = ()
        if not numbers or not all(map(math.isfinite, numbers)):
            self.fail(
                f"{value!r} is not a list of numbers such as 1/255 or 103.9,116.8,123.7",
                param,
                ctx,
            )
        return numbers


class ClassNames(click.ParamType[tuple[tuple[str, tuple[str, ...]], ...]]):
    """What a classifier's numbers are: "happy,sad", or "race=White,Black;age" where they are several things."""

    name = "A,B,..."

    def convert(
        self, value: str | tuple[tuple[str, tuple[str, ...]], ...], param: Param, ctx: Context
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Split at ";", "=" and ","."""
        if not isinstance(value, str):
            return value
        heads = []
        for part in value.split(";"):
            name, is_named, words = part.rpartition("=")
            if not is_named and "," not in words:
                name, words = words, ""  # one plain number, such as age
            classes = tuple(word.strip() for word in words.split(",")) if words.strip() else ()
            if "" in classes or len(set(classes)) != len(classes):
                self.fail(f"{value!r} has a class without a name, or one twice", param, ctx)
            heads.append((name.strip() or "class", classes))
        return tuple(heads)
