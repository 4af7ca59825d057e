"""How all of it was computed: model, tests, settings, versions, the command, definitions, and the citation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from fer_audit import __version__
from fer_audit.audit.types.result import AuditResult, LedgerEntry
from fer_audit.config import AuditConfig, setting_texts
from fer_audit.progress import Timing
from fer_audit.report.blocks import (
    Block,
    Code,
    Definitions,
    Facts,
    Heading,
    Prose,
    Section,
    Table,
    plain_table,
)
from fer_audit.report.not_computable import missing_values
from fer_audit.report.sections.definitions import DEFINITIONS
from fer_audit.report.sections.values import left, right, table_of
from fer_audit.report.view import View
from fer_audit.text import clipped, counted, display, number, p_text, whole

CITATION = (
    f"The fer-audit authors. fer-audit: audits of face datasets. Version {__version__}. Apache-2.0."
    " CITATION.cff in its repository."
)
_UNQUOTED = re.compile(r"[A-Za-z0-9_.,][A-Za-z0-9_.,-]*")
"""Values that a command holds without a quote."""
_OPTIONS = (
    *("layout", "sample", "first", "model", "precision", "k", "starts", "sweep_max", "seed"),
    *("confidence", "alpha", "permutations", "bootstraps", "replay", "replay_size", "recluster"),
)
_ALWAYS = ("model", "k", "seed")
_IN_THE_TABLE = (
    *("path_column", "group", "label", "batch"),
    *("age_column", "age_bins", "reference", "given"),
)
"""Settings that name columns of the set or hold counts of a larger one."""


def method(view: View) -> Section:
    """Return the section."""
    result = view.result
    blocks: list[Block] = [Facts(_facts(view))]
    if result.model is not None and result.model.caveat:
        blocks.append(Prose(f"About the model: {result.model.caveat}"))
    blocks += [*_missing(result), *_timings(view), *_reproduce(result)]
    settings = [(display(name), value) for name, value in setting_texts(result.config)]
    blocks.append(plain_table("Settings", ("setting", "value"), settings, importance="detail"))
    if result.ledger:
        blocks.append(_ledger(result.ledger))
    blocks += [Heading("Definitions", "detail"), Definitions(DEFINITIONS)]
    blocks += [Heading("Citation"), Prose(CITATION)]
    return Section("method", "How was this computed?", tuple(blocks))


def _facts(view: View) -> tuple[tuple[str, str], ...]:
    result, model = view.result, view.result.model
    dataset = result.dataset
    facts = [("set", dataset.name), ("fingerprint", _start(dataset.fingerprint))]
    known = (
        ("true of every image", "; ".join(f"{display(x)} {value}" for x, value in dataset.facts)),
        ("left out", "; ".join(f"{counted(n, 'file')}, {why}" for why, n in dataset.skipped)),
        ("terms of such a set", dataset.terms),
    )
    facts += [(name, value) for name, value in known if value]
    if model is not None:
        facts += [
            ("model", model.name),
            ("sha256", _start(model.sha256)),
            ("numbers an image", whole(model.dim)),
            ("precision", model.precision),
            ("ran on", model.provider),
        ]
    if view.pictures is not None and view.pictures.map is not None:
        drawn = view.pictures.map
        settings = ", ".join(f"{name} {value}" for name, value in drawn.settings)
        facts.append(("map", f"{drawn.method} {settings}".strip()))
    if result.ledger:
        facts.append(("tests", _tests(result.ledger)))
    changed = ", ".join(f"{display(name)} {value}" for name, value in _changed(result.config))
    facts.append(("settings", changed or "all as they are by default"))
    versions = ", ".join(f"{name} {version}" for name, version in result.versions)
    return (*facts, ("versions", versions or "not recorded"))


def _start(digits: str) -> str:
    """Return the first characters of a hash; result.json has all of it."""
    return f"{clipped(digits, 200)[:16]}…" if len(digits) > 16 else digits


def _changed(config: AuditConfig) -> list[tuple[str, str]]:
    usual = dict(setting_texts(AuditConfig()))
    return [(name, value) for name, value in setting_texts(config) if value != usual[name]]


def _tests(ledger: Sequence[LedgerEntry]) -> str:
    """Return how many tests were run and how they were corrected."""
    tests: Counter[str] = Counter()
    for entry in ledger:
        tests[entry.correction] += entry.tests
    families = Counter(
        correction for _, correction in {(entry.family, entry.correction) for entry in ledger}
    )
    return "; ".join(
        f"{counted(amount, 'test')} in {counted(families[correction], 'family', 'families')},"
        f" correction {correction}"
        for correction, amount in tests.items()
    )


def _missing(result: AuditResult) -> list[Block]:
    missing = missing_values(result)
    if not missing:
        return []
    values = sum(len(each.fields) for each in missing)
    reasons = len({each.reason for each in missing})
    return [
        Prose(
            f"{counted(values, 'value')} could not be computed, for {counted(reasons, 'reason')}: report.html and"
            " result.json list them."
        ),
        plain_table(
            f"What could not be computed: {counted(values, 'value')}",
            ("not computable", "values", "because"),
            [(each.where, ", ".join(each.fields), each.reason) for each in missing],
            importance="detail",
        ),
    ]


def _timings(view: View) -> list[Block]:
    if not view.stages:
        return []
    return [
        table_of(
            "Time taken",
            view.stages,
            left("stage", lambda x: x.stage, wrap=8),
            right("items", lambda x: whole(x.items)),
            right("seconds", lambda x: number(x.seconds)),
            right("items a second", _speed, drop=1),
            left("", lambda x: "done before" if x.reused else "", drop=2),
        )
    ]


def _speed(each: Timing) -> str:
    known = each.seconds > 0 and not each.reused
    return number(each.items / each.seconds, 0) if known else ""


def _reproduce(result: AuditResult) -> list[Block]:
    command, is_incomplete = run_command_line(result)
    blocks: list[Block] = [Heading("How to reproduce it"), Code(command)]
    if is_incomplete:
        blocks.append(
            Prose(
                "Some settings name columns or files of the set: see the settings.", tone="small"
            )
        )
    same = "The same files, versions and machine give the same result.json, byte for byte."
    return [*blocks, Prose(same, tone="small")]


def run_command_line(result: AuditResult) -> tuple[str, bool]:
    """Return the command that a result came from, and whether it lacks settings that name columns or a larger set's counts.

    DATASET stands for the set's path, which is not in a result; the demo set, the only one with planted facts, needs
    none. A value of anything but letters, digits and `_.,-`, such as a path, is left out: the option's name in
    capitals stands for it.
    """
    settings = dict(setting_texts(result.config))
    changed = dict(_changed(result.config))
    words = ["fer-audit", "run", *([] if result.planted else ["DATASET"])]
    for name in _OPTIONS:
        if name not in changed and name not in _ALWAYS:
            continue
        value = "auto" if name == "k" and result.config.clusters.k_auto else settings[name]
        shown = value if _UNQUOTED.fullmatch(value) else name.upper()
        words.append(f"--{name.replace('_', '-')} {shown}")
    if result.config.statistics.keep_duplicates:
        words.append("--keep-duplicates")
    return " ".join(words), any(name in changed for name in _IN_THE_TABLE)


def _ledger(ledger: Sequence[LedgerEntry]) -> Table:
    rows = [
        (
            entry.family,
            entry.subject,
            entry.method,
            p_text(entry.p, at_most=entry.at_most),
            "" if entry.p_corrected is None else p_text(entry.p_corrected, at_most=entry.at_most),
            entry.correction,
        )
        for entry in ledger
    ]
    return plain_table(
        f"Every test that was run: {counted(sum(entry.tests for entry in ledger), 'test')}",
        ("family", "test of", "method", "p", "corrected", "by"),
        rows,
        right=(3, 4),
        importance="detail",
    )
