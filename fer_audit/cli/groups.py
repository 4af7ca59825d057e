"""Options in groups, and those of experts behind --help-all: how every verb writes its `--help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Any], Any]
GROUPS = (
    *("Data", "Labels", "Model", "Predictions", "Clusters", "Statistics"),
    *("Gate", "Privacy", "Output", "Machine", "Options"),
)
"""The order of the groups in `--help`; an option that names none stands in the last one."""

_SHOW_ALL = "fer_audit.help_all"
"""Where a context notes that experts' options are to be shown."""


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
