"""Everything that changes a number in the result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from fer_audit.config.classifiers import ClassifierSettings
from fer_audit.config.clusters import ClusterSettings
from fer_audit.config.dataset import DatasetSettings
from fer_audit.config.model import ModelSettings
from fer_audit.config.statistics import StatisticsSettings
from fer_audit.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    """Everything that changes a number in the result. Built once, then only read."""

    seed: int = 0
    """Where every random draw starts."""
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    """How the dataset is read, and how much of it."""
    model: ModelSettings = field(default_factory=ModelSettings)
    """Which network embeds the images, and how."""
    classifiers: ClassifierSettings = field(default_factory=ClassifierSettings)
    """Whose predictions are audited."""
    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    """How the vectors are clustered."""
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    """How the audit tests, and what it tests."""
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
        known = self.flat()
        if unknown := sorted(set(values) - set(known)):
            raise ConfigError(
                f"there is no setting {unknown[0]!r}", hint=f"Known: {', '.join(known)}"
            )
        changed: dict[str, Any] = {}
        for each in fields(self):
            room: Any = getattr(self, each.name)
            if is_dataclass(room) and not isinstance(room, type):
                own = {setting.name for setting in fields(room)} & set(values)
                changed[each.name] = replace(room, **{name: values[name] for name in own})
            elif each.name in values:
                changed[each.name] = values[each.name]
        return replace(self, **changed)

    def flat(self) -> dict[str, Any]:
        """Return every setting by its flat name, in the order of the records."""
        settings: dict[str, Any] = {}
        for each in fields(self):
            room: Any = getattr(self, each.name)
            if is_dataclass(room):
                settings |= {own.name: getattr(room, own.name) for own in fields(room)}
            else:
                settings[each.name] = room
        return settings


def setting_texts(config: AuditConfig) -> tuple[tuple[str, str], ...]:
    """Return (name, value) of every setting to be shown: words as they are, everything else as JSON."""
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
        for name, value in config.flat().items()
    )
