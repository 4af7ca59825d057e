"""Checks that several settings share."""

from __future__ import annotations

from fer_audit.errors import ConfigError


def at_least(settings: object, least: int, *names: str) -> None:
    """Raise ConfigError for the first of these fields that is below `least`; None passes."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and value < least:
            raise ConfigError(f"{name} is {value}; it must be at least {least}")


def between_0_and_1(settings: object, *names: str) -> None:
    """Raise ConfigError for the first of these fields that is not strictly between 0 and 1."""
    for name in names:
        value = getattr(settings, name)
        if not 0 < value < 1:
            raise ConfigError(f"{name} is {value}; it must be between 0 and 1")
