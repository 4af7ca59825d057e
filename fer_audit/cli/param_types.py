"""Options as every verb has them: in groups, those of experts behind --help-all; and types of values that click does not have."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import click

from fer_audit.errors import StoreError

Decorator = Callable[[Any], Any]
GROUPS = (
    *("Data", "Labels", "Model", "Predictions", "Clusters", "Statistics"),
    *("Gate", "Privacy", "Output", "Machine", "Options"),
)
"""The order of the groups in `--help`; an option that names none stands in the last one."""

_SHOW_ALL = "fer_audit.help_all"
"""Where a context notes that experts' options are to be shown."""
AUTO = "auto"
PATH = click.Path(path_type=Path)
MAX_NEAR = 3
"""Finished runs that are named where a path is none."""
STARTED, DONE = "STARTED.json", "DONE.json"
"""The marks of `fer_audit.pipeline.run_folder`, which --help cannot wait for."""
Param: TypeAlias = click.Parameter | None
Context: TypeAlias = click.Context | None


class Option(click.Option):
    """An option of one of the `GROUPS`, or with `expert` only of `--help-all`; `old` names are taken and no longer shown.

    It is read, suggested and completed like any other.
    """

    group = GROUPS[-1]

    def __init__(
        self,
        names: list[str],
        *,
        old: str = "",
        expert: bool = False,
        **facts: Any,  # noqa: ANN401 - click's own
    ) -> None:
        super().__init__([*names, *old.split()], **facts)
        self.old, self.expert = old, expert

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the line of the help; None when it is not shown."""
        if self.expert and not ctx.meta.get(_SHOW_ALL):
            return None
        record = super().get_help_record(ctx)
        return record and (
            record[0].replace(f", {self.old}", "") if self.old else record[0],
            record[1],
        )


def option(words: str, help: str, **facts: Any) -> Decorator:  # noqa: ANN401 - click's own
    """Return an option, e.g. option("-o --out as_out DIR", "Where."): its names, the parameter's where that differs, and its metavar.

    It shows its default where it has one; the default also says of what type it is.
    """
    *names, last = words.split()
    if last.startswith("-") or last.islower():
        names.append(last)
    else:
        facts = {"metavar": last, **facts}
    return click.option(
        *names, help=help, cls=Option, **{"show_default": "default" in facts, **facts}
    )


def flag(words: str, help: str, **facts: Any) -> Decorator:  # noqa: ANN401 - click's own
    """Return an option without a value."""
    return option(words, help, is_flag=True, **facts)


def in_group(title: str, *options: Decorator) -> Decorator:
    """Return a decorator that adds options, all in one group of `--help`, in their order."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - a function or what a decorator made of it
        for each in reversed(options):
            command = each(command)
            command.__click_params__[-1].group = title
        return command

    return decorate


def together(*options: Decorator) -> Decorator:
    """Return a decorator that adds options in their order."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - a function or what a decorator made of it
        for each in reversed(options):
            command = each(command)
        return command

    return decorate


class Verb(click.Command):
    """A command whose help has its options in groups, and --help-all where experts have more."""

    def __init__(self, *given: Any, **facts: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*given, **facts)
        self.has_more = any(isinstance(each, Option) and each.expert for each in self.params)
        if self.has_more:
            facts = {
                "is_flag": True,
                "is_eager": True,
                "expose_value": False,
                "callback": _show_all,
            }
            words = "Show every option and exit."
            self.params.append(click.Option(["--help-all"], help=words, **facts))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group that has something to show, and that there is more."""
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in GROUPS}
        for param in self.get_params(ctx):
            line = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if line is not None:
                groups[getattr(param, "group", GROUPS[-1])].append(line)
        for title, lines in groups.items():
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines)
        if self.has_more and not ctx.meta.get(_SHOW_ALL):
            formatter.write("\nMore options: --help-all\n")


def _show_all(ctx: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.meta[_SHOW_ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()


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
