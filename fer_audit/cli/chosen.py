"""The settings that a verb's options become."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from fer_audit.cli.param_types import AUTO
from fer_audit.cli.reference import read_reference
from fer_audit.config import AuditConfig, ReportSettings, Resources

_CONFIG = AuditConfig()


def dataset_config(values: dict[str, Any]) -> AuditConfig:
    """Build the configuration of a verb that only reads a dataset."""
    return AuditConfig.of(**_chosen(values))


def audit_config(values: dict[str, Any]) -> AuditConfig:
    """Build the configuration from a verb's options; what a verb does not offer keeps its default."""
    from fer_audit.audit.gate import parse_rule

    chosen = _chosen(values)
    if chosen.get("reference") is not None:
        chosen["reference"] = read_reference(chosen["reference"])
    else:
        chosen.pop("reference", None)
    if chosen.get("k") == AUTO:
        chosen["k"] = _CONFIG.clusters.k
        chosen["k_auto"] = True
    config = AuditConfig.of(**chosen)
    for rule in config.fail_on:
        parse_rule(rule)  # a rule that makes no sense is known before hours of work
    return config


def _chosen(values: dict[str, Any]) -> dict[str, Any]:
    """Return those of a verb's options that are settings of an audit, by their flat names."""
    return {name: values[name] for name in _CONFIG.flat() if name in values}


def resources(values: dict[str, Any]) -> Resources:
    """Build the resources from a verb's options."""
    return Resources(**_fields_of(Resources, values))


def report_settings(values: dict[str, Any]) -> ReportSettings:
    """Build the settings of the report from a verb's options."""
    return ReportSettings(**_fields_of(ReportSettings, values))


def _fields_of(record: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return those of a verb's options that are fields of a record."""
    return {field.name: values[field.name] for field in fields(record) if field.name in values}
