"""Options from fer-audit.toml or [tool.fer-audit] of pyproject.toml, and the settings that a verb's options become.

Defaults < files < environment < flags.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from fer_audit.cli.output import nearest
from fer_audit.cli.param_types import AUTO
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.errors import ConfigError
from fer_audit.text import whole

OWN_FILE = Path("fer-audit.toml")
PROJECT_FILE = Path("pyproject.toml")

_RENAMED = {"format": "layout"}
"""Words of a file whose setting has another name."""
Reference = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""(attribute, ((group, count), ...))"""
MAX_COUNT = 10**12
"""Images in one group: a hundred for every person on earth."""
_CONFIG = AuditConfig()


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
            several = value if isinstance(value, list) else [value]
            options[name] = [*map(_word, several)] if known[name] else _word(value)
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


def _word(value: object) -> str:
    """Return a value as a word of a command line, so that it means there what it means here; ValueError for what cannot be typed.

    A number with a fraction is no whole number then, nor is true 1.
    """
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


def dataset_config(values: dict[str, Any]) -> AuditConfig:
    """Build the configuration of a verb that only reads a dataset; what it does not offer keeps its default."""
    return AuditConfig.of(**{name: values[name] for name in _CONFIG.flat() if name in values})


def audit_config(values: dict[str, Any]) -> AuditConfig:
    """Build the configuration from a verb's options; what a verb does not offer keeps its default."""
    from fer_audit.audit.gate import parse_rule

    values = {
        name: value for name, value in values.items() if (name, value) != ("reference", None)
    }
    if "reference" in values:
        values["reference"] = read_reference(values["reference"])
    if values.get("k") == AUTO:
        values |= {"k": _CONFIG.clusters.k, "k_auto": True}
    config = dataset_config(values)
    for rule in config.fail_on:
        parse_rule(rule)  # a rule that makes no sense is known before hours of work
    return config


def resources(values: dict[str, Any]) -> Resources:
    """Build the resources from a verb's options."""
    return Resources(**_fields_of(Resources, values))


def report_settings(values: dict[str, Any]) -> ReportSettings:
    """Build the settings of the report from a verb's options."""
    return ReportSettings(**_fields_of(ReportSettings, values))


def _fields_of(record: type, values: dict[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(record) if field.name in values}


def read_reference(path: Path) -> Reference:
    """Read {"attribute": {"group": count}}; ConfigError says what is wrong with it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            (attribute, tuple((group, _count(count)) for group, count in groups.items()))
            for attribute, groups in document.items()
        )
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as exc:
        raise ConfigError(
            f"Cannot read the reference {path}: {exc}",
            hint='It looks like {"race": {"White": 10078, "Black": 4526}}.',
        ) from exc


def _count(value: object) -> int:
    """Return a whole number of images; a text or a fraction is not read as one."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    if not 0 <= value <= MAX_COUNT:
        what = "is a negative count" if value < 0 else f"is more than {whole(MAX_COUNT)}"
        raise ValueError(f"{value} {what}")
    return value
