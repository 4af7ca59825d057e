"""Options from fer-audit.toml or [tool.fer-audit] of pyproject.toml.

Defaults < files < environment < flags.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from fer_audit.cli.output import nearest
from fer_audit.errors import ConfigError

OWN_FILE = Path("fer-audit.toml")
PROJECT_FILE = Path("pyproject.toml")

_RENAMED = {"format": "layout"}
"""Words of a file whose setting has another name."""


def settings_from_files(commands: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return click's default map: the same options for every verb that has them.

    Keys are option names with dashes or underscores, e.g. `batch-size = 32`. An unknown key is an error when the
    command runs, so that a misspelt option is never ignored.
    """
    values = _read(OWN_FILE)
    where = OWN_FILE
    if values is None:
        tools = (_read(PROJECT_FILE) or {}).get("tool")
        values = tools.get("fer-audit") if isinstance(tools, dict) else None
        where = PROJECT_FILE
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: [tool.fer-audit] must be a table of options")
    known = _known_options()
    options: dict[str, Any] = {}
    for key, value in values.items():
        name = _RENAMED.get(key, key.replace("-", "_"))
        if name not in known:
            raise ConfigError(
                f"{where}: there is no option {key!r}",
                hint=nearest(key, [name.replace("_", "-") for name in known])
                or "`fer-audit run --help-all` shows every option.",
            )
        try:
            options[name] = _as_typed(value, several=known[name])
        except ValueError as exc:
            raise ConfigError(
                f"{where}: the option {key!r} {exc}",
                hint="A value is a text, a number, true, false, or a list of these.",
            ) from exc
    return dict.fromkeys(commands, options)


def unknown_variables(
    environment: Iterable[str], group: click.Group, ctx: click.Context
) -> list[str]:
    """Return a sentence for each FER_AUDIT_* variable that sets no option of a verb.

    The verbs are imported only where there is such a variable.
    """
    given = sorted(name for name in environment if name.startswith("FER_AUDIT_"))
    if not given:
        return []
    verbs = [(verb, group.get_command(ctx, verb)) for verb in group.list_commands(ctx)]
    known = [
        f"FER_AUDIT_{verb}_{param.name}".upper()
        for verb, command in verbs
        if command is not None
        for param in command.params
        if isinstance(param, click.Option)
    ]
    return [
        f"{name} sets no option of any verb and is ignored. {nearest(name, known, 0.8)}".rstrip()
        for name in given
        if name not in known
    ]


def _known_options() -> dict[str, bool]:
    """Return what `run` and `bench` know between them, and whether it can be given several times.

    Every other verb's model and cluster options are run's.
    """
    from fer_audit.cli.bench import bench_command
    from fer_audit.cli.run import run_command

    params = [*run_command.params, *bench_command.params]
    return {
        str(parameter.name): parameter.multiple
        for parameter in params
        if isinstance(parameter, click.Option) and parameter.expose_value
    }


def _as_typed(value: object, *, several: bool) -> str | list[str]:
    """Return a value as words of a command line, so that it means there what it means here.

    A number with a fraction is no whole number then, nor is true 1. Raises ValueError for what cannot be typed.
    """
    if several:
        return [_word(each) for each in (value if isinstance(value, list) else [value])]
    return _word(value)


def _word(value: object) -> str:
    if isinstance(value, list) and not any(isinstance(each, list) for each in value):
        return ",".join(map(_word, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"cannot be a {type(value).__name__}")  # noqa: TRY004 - one kind of refusal
    word = str(value)
    if "\0" in word:
        raise ValueError("holds a zero byte")
    return word


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as exc:  # numbers of 5,000 digits, lists in lists
        raise ConfigError(f"Cannot read {path}: {exc}") from exc
