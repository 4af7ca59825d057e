"""A run's page, report.html."""

from __future__ import annotations

from collections.abc import Iterable

from fer_audit.audit.types.result import AuditResult
from fer_audit.progress import Timing
from fer_audit.report.files.pictures import Pictures
from fer_audit.report.render.html import render_page
from fer_audit.report.report import make_report
from fer_audit.report.view import View


def report_page(
    result: AuditResult, pictures: Pictures | None = None, timings: Iterable[Timing] = ()
) -> str:
    """Return report.html. It rests on nothing but its arguments: the same ones give the same bytes."""
    return render_page(make_report(View(result, pictures, tuple(timings))))
