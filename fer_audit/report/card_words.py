"""What a dataset card says of a result, as plain sentences: each with its number, none that was not measured."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fer_audit.audit.types.composition import Cell, GroupShare, RejectCount, Representation
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.sections.composition import FOUR_FIFTHS, N_LARGEST, is_summary
from fer_audit.text import clipped, counted, p_phrase, percent, share_text, whole

FEW = 30
"""Images below which nothing is said of a group or a combination but that there are few: the audit's own limit."""
NAME = 60
"""Longest name of a group or attribute that a card prints."""
SENTENCE = 1_000
"""Longest sentence of a stranger that it prints."""

_EXAMPLES = re.compile(r':\s*"[^"]*"(?:, "[^"]*")*(?: and [0-9,]+ more)?(?=[.;]|$)')
"""The files that a note of the set quotes: `: "a.jpg", "b.jpg" and 3 more`."""
_MARKS = ",;:."
_CLAUSE = re.compile(rf"(.*)[{_MARKS}]\s", re.DOTALL)


def name_of(text: str) -> str:
    """Return a name of the set, short enough for a table."""
    return clipped(text, NAME)


def about_people(result: AuditResult) -> list[Representation]:
    """Return the attributes that a card describes: people and the labels to learn, not batches and style."""
    return [each for each in result.representation if each.kind in ("demographic", "label")]


def has_groups(result: AuditResult) -> bool:
    """Whether anything is annotated: without, nothing can be said or recommended about groups."""
    return any(each.annotated for each in about_people(result))


def shown_groups(representation: Representation) -> list[GroupShare]:
    """Return the groups in the order of the attribute; of an attribute of many, the largest with `FEW` images."""
    if not is_summary(representation):
        return list(representation.groups)
    ranked = [group for group in representation.groups if (group.count or 0) >= FEW]
    return sorted(ranked, key=lambda group: -(group.count or 0))[:N_LARGEST]


def group_note(group: GroupShare, *, with_target: bool = True) -> str:
    """Return what a reader has to know of one share: too few images, or far from the target."""
    if group.count is None:
        return "withheld"
    if group.count == 0:
        return "no image"
    if group.count < FEW:
        return f"fewer than {FEW} images"
    if not with_target or group.ratio is None:
        return ""
    if group.ratio < FOUR_FIFTHS:
        return f"under: {group.ratio:.2f} of the target share"
    return f"over: {group.ratio:.2f} of the target share" if group.ratio > 1 / FOUR_FIFTHS else ""


def composition(representation: Representation) -> str:
    """Return the shares of one attribute in one sentence."""
    pieces = []
    for group in shown_groups(representation):
        note = group_note(group)
        share = share_text(group.share, group.count, group.low, group.high)
        pieces.append(f"{name_of(group.name)} {share}{f' [{note}]' if note else ''}")
    left = len(representation.groups) - len(pieces)
    if left:
        pieces.append(f"{left:,} further groups")
    return (
        f"{name_of(representation.attribute)} of {counted(representation.annotated, 'annotated image')}"
        f" ({representation.source}; {representation.not_annotated:,} not annotated): {'; '.join(pieces)}."
    )


def combination_counts(result: AuditResult) -> str:
    """Return how many combinations of groups are empty or thin; "" when there are none to count."""
    found = result.intersections
    if found is None or not found.cells or not found.n:
        return ""
    names = " x ".join(name_of(name) for name in found.attributes)
    return (
        f"Of {counted(found.cells, 'combination')} of {names} ({counted(found.n, 'image')}), "
        f"{whole(found.empty)} without an image and {whole(found.under_30)} with 1 to {FEW - 1}."
    )


def thin_cells(result: AuditResult) -> list[Cell]:
    """Return the empty and thin combinations that the result names, in the order of their names: never ranked."""
    found = result.intersections
    if found is None:
        return []
    named = dict.fromkeys((*found.smallest, *found.largest_gaps))
    return sorted((cell for cell in named if cell.count < FEW), key=lambda cell: cell.groups)


def wide_gaps(result: AuditResult) -> list[Cell]:
    """Return the combinations of `FEW` images or more that lie furthest below what unrelated attributes give."""
    found = result.intersections
    return [] if found is None else [cell for cell in found.largest_gaps if cell.count >= FEW]


def cell_name(cell: Cell) -> str:
    """Return the groups of a combination."""
    return " x ".join(name_of(group) for group in cell.groups)


def copies(result: AuditResult) -> str:
    """Return how many files are byte-identical copies."""
    found = result.duplicates
    if not found.groups:
        return "No two files are byte-identical."
    kept = (
        f"{counted(found.left_out, 'copy', 'copies')} left out of the tests"
        if found.left_out
        else "all kept in the tests"
    )
    return f"{counted(found.files, 'file')} in {counted(found.groups, 'group')} of byte-identical files; {kept}."


def conflicts(result: AuditResult) -> str:
    """Return where copies of one image carry different labels; "" when none do."""
    found = [each for each in result.duplicates.conflicts if each.count]
    if not found:
        return ""
    named = ", ".join(f"{name_of(each.name)} in {each.count:,}" for each in found)
    return (
        f"Copies of one image carry different labels, so at least one of them is wrong: {named} of"
        f" {counted(result.duplicates.groups, 'group')} of copies."
    )


def rounded_ages(result: AuditResult) -> str:
    """Return Whipple's index; "" when there is none."""
    found = result.age_heaping
    if found is None or found.whipple is None:
        return ""
    return (
        f"Ages: Whipple's index {found.whipple:.1f} over {counted(found.n, 'image')} aged 23 to 62"
        " (100 = no preference for ages ending in 0 or 5, 500 = only such ages)."
    )


def missing(result: AuditResult) -> list[str]:
    """Return what failed, what could not be read, and what is not annotated."""
    facts = result.dataset
    texts = [
        f"{facts.failed:,} of {counted(facts.listed, 'listed image')} could not be used"
        f"{_by_reason(facts.failures)}."
    ]
    if facts.rejects:
        amount = sum(each.count for each in facts.rejects)
        texts.append(
            f"{counted(amount, 'label or line', 'labels or lines')} could not be read or had to be repaired"
            f"{_by_reason(facts.rejects)}."
        )
    for each in about_people(result):
        if each.not_annotated:
            total = each.annotated + each.not_annotated
            texts.append(
                f"{name_of(each.attribute)} is not annotated in {each.not_annotated:,} of {counted(total, 'image')}."
            )
    return texts


def _by_reason(found: Sequence[RejectCount]) -> str:
    named = ", ".join(f"{name_of(each.reason).replace('_', ' ')} {each.count:,}" for each in found)
    return f" ({named})" if named else ""


def notes(result: AuditResult) -> list[str]:
    """Return the notes of the set without the file names they quote: a name can hold an age and a gender."""
    return [text for note in result.dataset.notes if (text := _without_names(note))]


def _without_names(note: str) -> str:
    """Return a note without its quoted examples; "" when little more than a name is in it.

    Quotes that are no list of examples end the note at the last whole clause before them. A name may hold
    quotes itself: whatever stands between the first and the last quote of a note is never kept.
    """
    text = _EXAMPLES.sub("", note, count=1)
    if '"' not in text:
        return text
    before = note[: note.index('"')].rstrip()
    if not before.endswith(tuple(_MARKS)):
        clause = _CLAUSE.match(before)
        before = "" if clause is None else clause[1]
    before = before.rstrip(_MARKS)
    return f"{before}." if before else ""


def draws(result: AuditResult) -> list[str]:
    """Return how far this sample is from the set it was drawn from."""
    return [
        f"{name_of(each.attribute)}: {percent(each.tv)} of {counted(each.n, 'image')} would have to change group to"
        f" match {name_of(each.reference)} ({p_phrase(each.p)})."
        for each in result.subset_checks
        if each.tv is not None and each.p is not None
    ]


def batch_guesses(result: AuditResult) -> list[str]:
    """Return how well the batch of an image alone guesses each attribute."""
    texts = []
    for each in result.batch_predictions:
        right = each.accuracy if each.left_out_accuracy is None else each.left_out_accuracy
        if right is None or each.majority is None:
            continue
        texts.append(
            f"{name_of(each.batch)} alone guesses {name_of(each.attribute)} in {percent(right)} of"
            f" {counted(each.n, 'image')}; always naming the largest group would in {percent(each.majority)}."
        )
    return texts


def label_makers(result: AuditResult) -> list[str]:
    """Return who made the labels, as the set says, and which of them a model made."""
    origin = clipped(result.dataset.label_source.strip(), SENTENCE)
    texts = [origin or "The set does not say who made its labels."]
    for source, words in (
        ("annotated", "Labels that came with the set"),
        ("predicted", "Labels that a model predicted"),
    ):
        names = [name_of(each.attribute) for each in about_people(result) if each.source == source]
        if names:
            texts.append(f"{words}: {', '.join(names)}.")
    return texts


def personal(result: AuditResult) -> list[str]:
    """Return what is personal in the set."""
    texts = [
        "The faces of this demo set are drawn: nobody is shown."
        if result.planted
        else "The set was audited as images of faces. A face is personal data: it can identify the person shown."
    ]
    for each in result.representation:
        if each.kind == "demographic":
            groups = ", ".join(name_of(group.name) for group in shown_groups(each))
            more = ", ..." if is_summary(each) else ""
            texts.append(
                f"{name_of(each.attribute)}: a label of a person in {counted(each.annotated, 'image')}"
                f" ({each.source}; groups: {groups}{more})."
            )
    if result.age_heaping is not None:
        texts.append("The set holds ages in years.")
    return texts
