"""Options from files: fer-audit.toml, or [tool.fer-audit] in pyproject.toml, of the working directory."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fer_audit.errors import ConfigError

OWN_FILE = Path("fer-audit.toml")
PROJECT_FILE = Path("pyproject.toml")


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
        name = key.replace("-", "_")
        if name not in known:
            raise ConfigError(
                f"{where}: there is no option {key!r}",
                hint=f"Known: {', '.join(sorted(known))}",
            )
        options[name] = value
    return dict.fromkeys(commands, options)


def _known_options() -> set[str]:
    from fer_audit.cli.run import run_command

    return {str(parameter.name) for parameter in run_command.params} - {"dataset"}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"Cannot read {path}: {exc}") from exc
