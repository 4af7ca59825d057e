"""How all of it was computed (model, tests, settings, versions, the command, definitions), the --fail-on rules, the planted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import fer_audit.text as t
from fer_audit import __version__
from fer_audit.audit.types.result import AuditResult, GateRule, LedgerEntry
from fer_audit.config import AuditConfig, setting_texts
from fer_audit.progress import Timing
from fer_audit.report import blocks as b
from fer_audit.report.not_computable import missing_values
from fer_audit.report.sections.definitions import DEFINITIONS
from fer_audit.report.sections.values import Shown, left, right, section, small, table_of
from fer_audit.report.view import View

CITATION = (
    f"The fer-audit authors. fer-audit: audits of face datasets. Version {__version__}. Apache-2.0."
    " CITATION.cff in its repository."
)
N_REASONS = 12
"""Reasons why values could not be computed that are listed; the table of the values has all."""
_UNQUOTED = re.compile(r"[A-Za-z0-9_.,][A-Za-z0-9_.,-]*")
"""Values that a command holds without a quote."""
_OPTIONS = (
    *("layout", "sample", "first", "model", "precision", "k", "starts", "sweep_max", "seed"),
    *(
        "predict",
        "classify",
        "what_if",
        "mitigate",
        "weights",
        "confidence",
        "alpha",
        "permutations",
        "bootstraps",
        "replay",
        "replay_size",
        "recluster",
    ),
)
_ALWAYS = ("model", "k", "seed")
_IN_THE_TABLE = (
    *("path_column", "group", "label", "batch"),
    *("age_column", "age_bins", "reference", "given"),
)
"""Settings that name columns of the set or hold counts of a larger one."""


@section("gate", "Does it pass the gate?")
def gate(view: View) -> Iterator[b.Block]:
    """Return every rule with its value; None where no rule was given."""
    rules = view.result.gate
    if not rules:
        return
    crossed = sum(rule.crossed for rule in rules)
    ends = ": the run ends with exit code 1." if crossed else "."
    yield b.Prose(f"{t.whole(crossed)} of {t.counted(len(rules), 'rule')} crossed{ends}")
    columns: list[Shown[GateRule]] = [
        left("not acceptable", lambda x: t.clipped(x.rule, 60), wrap=16),
        left("verdict", _verdict, wrap=9),
        right("found", _found),
    ]
    if any(rule.value is None for rule in rules):
        columns.append(left("because", lambda x: x.reason if x.value is None else "", wrap=16))
    yield table_of("Rules", rules, *columns)


def _verdict(rule: GateRule) -> b.Sign:
    if rule.value is None and not rule.withheld:
        return b.Sign("unknown", "no value")
    # A rule that a withheld value was compared with was judged all the same.
    return b.Sign("fails", "crossed") if rule.crossed else b.Sign("holds", "kept")


def _found(rule: GateRule) -> str:
    missing = t.WITHHELD if rule.withheld else t.NO_VALUE
    return missing if rule.value is None else t.six_figures(rule.value)


@section("planted", "Does the audit find what was planted?")
def planted(view: View) -> Iterator[b.Block]:
    """Return what was drawn into the demo set and what the audit found; None for any other set."""
    checks = view.result.planted
    if checks:
        yield b.Prose("This set is drawn, not photographed: what is wrong with it is known.")
        yield table_of(
            "Planted in this demo set",
            checks,
            left("planted", lambda x: x.claim, wrap=16),
            left("expected", lambda x: x.expected, wrap=12),
            left("found", lambda x: x.found, wrap=12),
            left(
                "agrees", lambda x: b.Sign("holds", "yes") if x.agrees else b.Sign("fails", "no")
            ),
        )


@section("method", "How was this computed?")
def method(view: View) -> Iterator[b.Block]:
    """Return model, tests and settings, what has no value, the time taken, the command, definitions and citation."""
    result = view.result
    yield b.Facts(tuple(_facts(view)))
    if result.model is not None and result.model.caveat:
        yield b.Prose(f"About the model: {result.model.caveat}")
    yield from _missing(result)
    if view.stages:
        yield table_of(
            "Time taken",
            view.stages,
            left("stage", lambda x: x.stage, wrap=8),
            right("items", lambda x: t.whole(x.items)),
            right("seconds", lambda x: t.number(x.seconds)),
            right("items a second", _speed, drop=1),
            left("", lambda x: "done before" if x.reused else "", drop=2),
        )
    command, is_incomplete = run_command_line(result)
    yield b.Heading("How to reproduce it")
    yield b.Code(command)
    if is_incomplete:
        yield small("Some settings name columns or files of the set: see the settings.")
    yield small("The same files, versions and machine give the same result.json, byte for byte.")
    settings = [(t.display(name), value) for name, value in setting_texts(result.config)]
    yield b.plain_table("Settings", ("setting", "value"), settings, importance="detail")
    if result.ledger:
        yield b.plain_table(
            f"Every test that was run: {t.counted(sum(x.tests for x in result.ledger), 'test')}",
            ("family", "test of", "method", "p", "corrected", "by"),
            [_entry(x) for x in result.ledger],
            right=(3, 4),
            importance="detail",
        )
    yield b.Heading("Definitions", "detail")
    yield b.Definitions(DEFINITIONS)
    yield b.Heading("Citation")
    yield b.Prose(CITATION)


def _facts(view: View) -> Iterator[tuple[str, str]]:
    result, model, dataset = view.result, view.result.model, view.result.dataset
    yield "set", dataset.name
    yield "fingerprint", _start(dataset.fingerprint)
    known = (
        (
            "true of every image",
            "; ".join(f"{t.display(x)} {value}" for x, value in dataset.facts),
        ),
        ("left out", "; ".join(f"{t.counted(n, 'file')}, {why}" for why, n in dataset.skipped)),
        ("terms of such a set", dataset.terms),
    )
    yield from ((name, value) for name, value in known if value)
    if model is not None:
        yield "model", model.name
        yield "sha256", _start(model.sha256)
        yield "numbers an image", t.whole(model.dim)
        yield "precision", model.precision
        yield "ran on", model.provider
    if view.pictures is not None and view.pictures.map is not None:
        drawn = view.pictures.map
        settings = ", ".join(f"{name} {value}" for name, value in drawn.settings)
        yield "map", f"{drawn.method} {settings}".strip()
    if result.ledger:
        yield "tests", _tests(result.ledger)
    changed = ", ".join(f"{t.display(name)} {value}" for name, value in _changed(result.config))
    yield "settings", changed or "all as they are by default"
    versions = ", ".join(f"{name} {version}" for name, version in result.versions)
    yield "versions", versions or "not recorded"


def _start(digits: str) -> str:
    """Return the first characters of a hash; result.json has all of it."""
    return f"{t.clipped(digits, 200)[:16]}…" if len(digits) > 16 else digits


def _changed(config: AuditConfig) -> list[tuple[str, str]]:
    usual = dict(setting_texts(AuditConfig()))
    return [(name, value) for name, value in setting_texts(config) if value != usual[name]]


def _tests(ledger: Sequence[LedgerEntry]) -> str:
    """Return how many tests were run and how they were corrected."""
    tests: Counter[str] = Counter()
    for entry in ledger:
        tests[entry.correction] += entry.tests
    families = Counter(by for _, by in {(entry.family, entry.correction) for entry in ledger})
    return "; ".join(
        f"{t.counted(n, 'test')} in {t.counted(families[by], 'family', 'families')}, correction {by}"
        for by, n in tests.items()
    )


def _missing(result: AuditResult) -> Iterator[b.Block]:
    missing = missing_values(result)
    if missing:
        counts: Counter[str] = Counter()
        for each in missing:
            counts[each.reason] += len(each.fields)
        values = t.counted(counts.total(), "value")
        reasons = t.counted(len(counts), "reason")
        more = "" if len(counts) <= N_REASONS else f"; the {N_REASONS} most frequent"
        yield b.Prose(
            f"{values} could not be computed, for {reasons}{more} (each value: --table method):"
        )
        yield b.Bullets(
            tuple(
                f"{t.whole(n)}: {t.clipped(reason, 200)}"
                for reason, n in counts.most_common(N_REASONS)
            )
        )
        yield b.plain_table(
            f"What could not be computed: {values}",
            ("not computable", "values", "because"),
            [(each.where, ", ".join(each.fields), each.reason) for each in missing],
            importance="detail",
        )


def _speed(each: Timing) -> str:
    known = each.seconds > 0 and not each.reused
    return t.number(each.items / each.seconds, 0) if known else ""


def _entry(x: LedgerEntry) -> tuple[str, ...]:
    p, corrected = (
        "" if p is None else t.p_text(p, at_most=x.at_most) for p in (x.p, x.p_corrected)
    )
    family, subject = t.displayed(x.family), t.displayed(x.subject)
    return family, subject, x.method, p or t.p_text(x.p), corrected, x.correction


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
        if name in changed or name in _ALWAYS:
            is_auto = name == "k" and result.config.clusters.k_auto
            value = "auto" if is_auto else settings[name]
            shown = value if _UNQUOTED.fullmatch(value) else name.upper()
            words.append(f"--{name.replace('_', '-')} {shown}")
    words += ["--keep-duplicates"] if result.config.statistics.keep_duplicates else []
    return " ".join(words), any(name in changed for name in _IN_THE_TABLE)
