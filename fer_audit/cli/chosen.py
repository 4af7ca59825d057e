"""The settings that a verb's options become, and the counts of a larger set from a JSON file (--reference)."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from fer_audit.cli.param_types import AUTO
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.errors import ConfigError
from fer_audit.text import whole

Reference = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""(attribute, ((group, count), ...))"""
MAX_COUNT = 10**12
"""Images in one group: a hundred for every person on earth."""
_CONFIG = AuditConfig()


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
