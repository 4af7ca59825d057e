"""What a run is asked to do: `AuditConfig` changes numbers, `Resources` changes speed only, `ReportSettings` what is shown.

One small record a room; a room is given its own and reads nothing else.
"""

from fer_audit.config.audit import AuditConfig, setting_texts
from fer_audit.config.classifiers import METHODS, ClassifierSettings
from fer_audit.config.clusters import ClusterSettings
from fer_audit.config.dataset import AGE_BINS, DatasetSettings
from fer_audit.config.model import ModelSettings, Precision
from fer_audit.config.report import MapMethod, ReportSettings, refuse_min_cell
from fer_audit.config.resources import DEVICE, FILE_SECONDS, PackMode, Resources
from fer_audit.config.statistics import ANY_LABEL, StatisticsSettings

__all__ = [
    "AGE_BINS",
    "ANY_LABEL",
    "DEVICE",
    "FILE_SECONDS",
    "METHODS",
    "AuditConfig",
    "ClassifierSettings",
    "ClusterSettings",
    "DatasetSettings",
    "MapMethod",
    "ModelSettings",
    "PackMode",
    "Precision",
    "ReportSettings",
    "Resources",
    "StatisticsSettings",
    "refuse_min_cell",
    "setting_texts",
]
