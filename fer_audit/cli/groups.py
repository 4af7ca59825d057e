"""Options in groups, and those of experts behind --help-all: how every verb writes its `--help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

GROUPS = (
    *(
        "Data",
        "Labels",
        "Model",
        "Predictions",
        "Clusters",
        "Statistics",
        "Gate",
        "Privacy",
        "Output",
    ),
    *("Machine", "Options"),
)
"""The order of the groups in `--help`; an option that names none stands in the last one."""

_SHOW_ALL = "fer_audit.help_all"
"""Where a context notes that experts' options are to be shown."""


class Option(click.Option):
    """An option that stands in a group of `--help`, or with `expert` only of `--help-all`.

    It is read, suggested and completed like any other.
    """

    def __init__(self, *words: Any, expert: bool = False, **facts: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*words, **facts)
        self.expert = expert

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the line of the help; None when it is not shown."""
        shown = not self.expert or ctx.meta.get(_SHOW_ALL)
        return super().get_help_record(ctx) if shown else None


class Verb(click.Command):
    """A command whose help has its options in groups, and --help-all where experts have more."""

    def __init__(self, *words: Any, **facts: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*words, **facts)
        self.has_more = any(isinstance(each, Option) and each.expert for each in self.params)
        if self.has_more:
            self.params.append(
                click.Option(
                    ["--help-all"],
                    help="Show every option and exit.",
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=_show_all,
                )
            )

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


def in_group(title: str, *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds options, all in one group of `--help`, in their order."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - a function or what a decorator made of it
        for option in reversed(options):
            command = option(command)
            command.__click_params__[-1].group = title
        return command

    return decorate
