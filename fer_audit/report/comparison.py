"""THE list of sections of a comparison, and two runs as a report and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from fer_audit.audit.types.compare import Comparison
from fer_audit.report.blocks import Definitions, Report, Section
from fer_audit.report.files.codec import encode
from fer_audit.report.sections.compare import (
    changed,
    clusters_agree,
    settings_differ,
    what_was_run,
)
from fer_audit.report.sections.compare_people import claims_stand, who_is_in_them
from fer_audit.report.sections.definitions import COMPARISON_DEFINITIONS
from fer_audit.report.two_runs import SIGNS, run_names
from fer_audit.text import clipped, counted

SECTIONS: tuple[Callable[[Comparison], Section], ...] = (
    changed,
    what_was_run,
    clusters_agree,
    claims_stand,
    who_is_in_them,
    settings_differ,
)
"""In the order of a report."""


def comparison_json(comparison: Comparison) -> str:
    """Return the comparison as docs/compare.md describes it; the same comparison gives the same bytes.

    Raises ValueError for NaN and infinity, which no field may hold.
    """
    document = encode(comparison, Comparison)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def make_comparison(comparison: Comparison) -> Report:
    """Return the report of two runs. It rests on the comparison alone: the same one gives the same blocks."""
    first, second = (clipped(name, 60) for name in run_names(comparison))
    method = Section("method", "Method", (Definitions(COMPARISON_DEFINITIONS),))
    return Report(
        title=f"{first} and {second}: fer-audit comparison",
        heading=f"{first} and {second}",
        facts=(
            "two runs compared",
            f"{SIGNS[0]} first: {first}",
            f"{SIGNS[1]} second: {second}",
            f"{counted(comparison.images.common, 'image')} in both",
        ),
        alarm="",
        sections=(*(section(comparison) for section in SECTIONS), method),
        footer="Made by fer-audit from two finished runs. This page asks for nothing outside itself.",
    )
