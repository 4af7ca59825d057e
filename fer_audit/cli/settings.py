"""Options that nobody typed: from fer-audit.toml or [tool.fer-audit] of pyproject.toml, and threads from this machine's tuning.

Defaults < tuning < files < environment < flags.
"""

from __future__ import annotations

import copy
import functools
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from fer_audit.cli.output import say
from fer_audit.config import Precision
from fer_audit.errors import ConfigError, ModelError, StoreError

if TYPE_CHECKING:
    from fer_audit.bench.tuning import Tuning

OWN_FILE = Path("fer-audit.toml")
PROJECT_FILE = Path("pyproject.toml")

TUNED = "threads"
"""The option that `fer-audit bench --autotune` sets: it changes no bit of a vector, as another batch would."""


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
        try:
            options[name] = _as_typed(value, several=known[name])
        except ValueError as exc:
            raise ConfigError(
                f"{where}: the option {key!r} {exc}",
                hint="A value is a text, a number, true, false, or a list of these.",
            ) from exc
    return dict.fromkeys(commands, options)


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
        if isinstance(parameter, click.Option)
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


def with_tuning(command: click.Command) -> click.Command:
    """Return a verb that runs with the threads this machine was tuned to, where nobody set them.

    A verb without that option is returned as it is.
    """
    verb = command.callback
    if verb is None or TUNED not in {parameter.name for parameter in command.params}:
        return command
    tuned = copy.copy(command)
    tuned.callback = functools.partial(_call_tuned, verb)
    return tuned


def _call_tuned(verb: Callable[..., Any], /, **values: Any) -> Any:  # noqa: ANN401 - a verb's options and answer
    ctx = click.get_current_context()
    free = ctx.get_parameter_source(TUNED) is ParameterSource.DEFAULT
    tuning = _remembered(values) if free else None
    if tuning is not None:
        values[TUNED] = tuning.threads
        if not values["quiet"]:
            words = f"--{TUNED} {tuning.threads}, as bench --autotune found on this machine"
            say(f"fer-audit: {words}")
    return verb(**values)


def _remembered(values: Mapping[str, Any]) -> Tuning | None:
    """Return the tuning for this model on this machine, None when there is none.

    A damaged file is told and ignored. A model or device that cannot be used is the verb's to tell.
    """
    from fer_audit.bench.tuning import TUNING, find_tuning, tuning_key
    from fer_audit.store.stage import cache_folder

    cache = cache_folder(None) if values["cache_dir"] is None else values["cache_dir"]
    if not (cache / TUNING).exists():
        return None
    from fer_audit.embed.session import choose_provider
    from fer_audit.encoders.export import is_path, model_path, models_folder
    from fer_audit.encoders.sidecar import load_model

    name: str = values["model"]
    asked: Precision = values["precision"]
    folder = models_folder(values["models_dir"], values["cache_dir"])
    stored: Precision = (
        "fp32" if asked == "int8" else asked
    )  # int8 models are made from fp32, one a set
    try:
        # a model that is not exported yet has no tuning: this never exports one
        source = load_model(Path(name) if is_path(name) else model_path(folder, name, stored))
        provider = choose_provider(values["device"])
    except ModelError:
        return None
    precision = asked if asked == "int8" else source.precision
    try:
        return find_tuning(cache, tuning_key(source, precision, provider))
    except StoreError as exc:
        say(f"fer-audit: tuning ignored: {exc}. {exc.hint}")
        return None
