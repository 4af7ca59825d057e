"""The end of the report: duplicates, files that failed, labels, what has no value, and how all was computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.composition import DatasetFacts, Duplicates, RejectCount
from fer_audit.audit.types.result import AuditResult, LedgerEntry
from fer_audit.config import setting_texts
from fer_audit.progress import Timing
from fer_audit.report.gaps import gaps
from fer_audit.report.tables import Column, Flow, Grid, Heading, Item, plain, prose
from fer_audit.text import clipped, counted

_ID_LENGTH = 60
_EXAMPLES = 3


def duplicates(found: Duplicates) -> list[RenderableType]:
    """Return how many files are copies, and where copies of one image carry different labels."""
    parts: list[RenderableType] = [Heading("Are there duplicates?")]
    if not found.groups:
        return [*parts, prose("No two files are byte-identical.")]
    text = f"{counted(found.files, 'file')} in {counted(found.groups, 'group')} of byte-identical files; "
    text += (
        f"{counted(found.left_out, 'copy', 'copies')} left out of the tests."
        if found.left_out
        else "all kept in the tests."
    )
    parts.append(prose(text))
    conflicts = [conflict for conflict in found.conflicts if conflict.count]
    if conflicts:
        pieces = [
            plain(f"{clipped(conflict.name, 28)} in {conflict.count:,}") for conflict in conflicts
        ]
        parts += [
            prose("Groups whose copies disagree, so at least one label is wrong:"),
            Flow(pieces, indent=4),
        ]
    for example in found.examples[:_EXAMPLES]:
        parts.append(
            Flow(
                [plain(clipped(file_id, _ID_LENGTH)) for file_id in example], joint=" = ", indent=4
            )
        )
    return parts


def missing_values(result: AuditResult) -> list[RenderableType]:
    """Return what could not be computed, and why."""
    found = gaps(result)
    if not found:
        return []
    columns = [
        Column(Text("not computable"), squeeze=16),
        Column(Text("values"), squeeze=12),
        Column(Text("because"), squeeze=16),
    ]
    rows = [[plain(gap.where), plain(", ".join(gap.fields)), plain(gap.reason)] for gap in found]
    return [Heading("What could not be computed?"), Grid(columns, rows, cap=120)]


def files_and_labels(dataset: DatasetFacts) -> list[RenderableType]:
    """Return who made the labels, what failed, what is odd, and what is known to be wrong with the set."""
    parts: list[RenderableType] = [Heading("Files and labels")]
    if dataset.label_source:
        parts.append(Item(Text("labels", "bold"), plain(dataset.label_source), 7))
    parts += [Item(Text("note", "bold"), plain(note), 7) for note in dataset.notes]
    parts.append(
        Item(
            Text("files", "bold"),
            Text(f"{dataset.listed:,} listed = {dataset.ok:,} ok + {dataset.failed:,} failed"),
            7,
        )
    )
    for title, reasons in (
        ("failed: could not be embedded", dataset.failures),
        ("flagged: ok but odd", dataset.flags),
        ("rejected: labels that could not be read", dataset.rejects),
    ):
        if reasons:
            parts += [Text(""), _reasons(title, reasons)]
    return parts


def _reasons(title: str, reasons: Sequence[RejectCount]) -> Grid:
    columns = [
        Column(Text(title), squeeze=16),
        Column(Text("count"), right=True),
        Column(Text("for example"), squeeze=20),
    ]
    rows = [
        [
            plain(reason.reason),
            Text(f"{reason.count:,}"),
            Text("\n").join(plain(clipped(example, _ID_LENGTH)) for example in reason.examples),
        ]
        for reason in reasons
    ]
    return Grid(columns, rows)


def how_computed(result: AuditResult, timings: Sequence[Timing]) -> list[RenderableType]:
    """Return the model, the tests, the settings, the versions and the timings."""
    parts: list[RenderableType] = [Heading("How was this computed?")]
    model = result.model
    if model is not None:
        facts = [
            plain(model.name),
            Text(f"{model.dim:,} numbers an image"),
            plain(model.precision),
            plain(f"ran on {model.provider}"),
        ]
        parts += [_labelled("model", [*facts, _hash("sha256", model.sha256)])]
        if model.caveat:
            parts.append(
                Item(
                    Text.assemble(("● ", "bold yellow"), ("caveat", "bold")),
                    plain(model.caveat),
                    _LABEL,
                )
            )
    if result.ledger:
        parts.append(_labelled("tests", _ledger(result.ledger)))
    parts.append(_labelled("settings", _pairs(setting_texts(result.config))))
    parts.append(_labelled("versions", _pairs(result.versions)))
    parts.append(_labelled("set", [_hash("fingerprint", result.dataset.fingerprint)]))
    if timings:
        parts += [Text(""), _timings(timings)]
    return parts


_LABEL = 8


def _labelled(label: str, pieces: Sequence[Text]) -> RenderableType:
    return Item(Text(label, "bold"), Flow(pieces, indent=0), _LABEL)


def _hash(name: str, value: str) -> Text:
    """Return the first characters of a hash; result.json has all of it."""
    return plain(f"{name} {clipped(value, 200)[:16]}…" if len(value) > 16 else f"{name} {value}")


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[Text]:
    return [plain(f"{name} {value}") for name, value in pairs] or [Text("none")]


def _ledger(ledger: Sequence[LedgerEntry]) -> list[Text]:
    """Return how many tests were run, and how they were corrected; result.json lists each."""
    tests = Counter(entry.correction for entry in ledger)
    families = Counter(
        correction for _, correction in {(entry.family, entry.correction) for entry in ledger}
    )
    return [
        plain(
            f"{counted(amount, 'test')} in {counted(families[correction], 'family', 'families')},"
            f" correction {correction}"
        )
        for correction, amount in tests.items()
    ]


def _timings(timings: Sequence[Timing]) -> Grid:
    columns = [
        Column(Text("stage"), squeeze=8),
        Column(Text("items"), right=True),
        Column(Text("seconds"), right=True),
        Column(Text("items a second"), right=True),
        Column(Text("")),
    ]
    rows = [
        [
            plain(timing.stage),
            Text(f"{timing.items:,}"),
            Text(f"{timing.seconds:,.2f}"),
            Text(
                f"{timing.items / timing.seconds:,.0f}"
                if timing.seconds > 0 and not timing.reused
                else ""
            ),
            Text("done before" if timing.reused else ""),
        ]
        for timing in timings
    ]
    return Grid(columns, rows)
