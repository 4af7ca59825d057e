"""Everything that changes a number in the result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, get_type_hints

from fer_audit.config.clusters import ClusterSettings
from fer_audit.config.dataset import DatasetSettings
from fer_audit.config.model import ModelSettings
from fer_audit.config.statistics import StatisticsSettings
from fer_audit.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    """Everything that changes a number in the result. Built once, then only read."""

    seed: int = 0
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    fail_on: tuple[str, ...] = ()
    """Rules that end the run with exit code 1, e.g. "race.v_corrected>0.2". They change no number of the audit."""

    def __post_init__(self) -> None:
        """Refuse a negative seed."""
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must not be negative")

    @classmethod
    def of(cls, **values: Any) -> AuditConfig:  # noqa: ANN401 - each setting has its own type
        """Build the configuration from flat names, as the command line has them: AuditConfig.of(k=4, seed=42).

        What is not named keeps its default. Raises ConfigError for a name that no room has, and for a value that
        its room refuses.
        """
        return cls().having(**values)

    def having(self, **values: Any) -> AuditConfig:  # noqa: ANN401 - each setting has its own type
        """Return a copy with these settings, by flat names. Raises ConfigError as `of` does."""
        rooms = _rooms()
        unknown = sorted(set(values) - set(setting_names()))
        if unknown:
            raise ConfigError(
                f"there is no setting {unknown[0]!r}", hint=f"Known: {', '.join(setting_names())}"
            )
        whole: dict[str, Any] = {name: getattr(self, name) for name in rooms}
        for name, room in rooms.items():
            if not is_dataclass(room):
                whole[name] = values.get(name, whole[name])
                continue
            mine = {each.name: getattr(whole[name], each.name) for each in fields(room)}
            kind: Any = room
            whole[name] = kind(**{key: values.get(key, value) for key, value in mine.items()})
        return AuditConfig(**whole)

    def flat(self) -> dict[str, Any]:
        """Return every setting by its flat name, in the order of the records."""
        settings: dict[str, Any] = {}
        for name, room in _rooms().items():
            value = getattr(self, name)
            if is_dataclass(room):
                settings |= {each.name: getattr(value, each.name) for each in fields(room)}
            else:
                settings[name] = value
        return settings


def setting_texts(config: AuditConfig) -> tuple[tuple[str, str], ...]:
    """Return (name, value) of every setting to be shown: words as they are, everything else as JSON."""
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
        for name, value in config.flat().items()
    )


def setting_names() -> tuple[str, ...]:
    """Return the flat names of all settings."""
    return tuple(AuditConfig().flat())


def _rooms() -> dict[str, Any]:
    """Return the type of each field of AuditConfig: a room's record, or that of a setting of all rooms."""
    hints = get_type_hints(AuditConfig)
    return {each.name: hints[each.name] for each in fields(AuditConfig)}
