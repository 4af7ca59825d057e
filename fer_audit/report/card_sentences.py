"""What only a dataset card says: each sentence with its number, none that was not measured, no image file named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fer_audit.audit.types.composition import FOUR_FIFTHS, Cell, RejectCount, Representation
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import setting_texts
from fer_audit.report.blocks import Block, Bullets, Prose, plain_table
from fer_audit.text import clipped, counted, display, listed, number, part, whole

MAX_NAME = 60
MAX_SENTENCE = 1_000
"""Characters of a stranger's name or sentence that a card prints."""
N_FINDINGS = 12
INCOMPLETE = "THIS AUDIT IS INCOMPLETE: a part of the work is missing. Quote no number of it."

_RANKED = "thin_intersections"
"""The finding that singles out the thinnest combination: a card ranks none under 30 images."""
_HEAPED = 110.0
"""Whipple's index up to here is fairly accurate on the UN's scale."""
_MIN_HELD = 3
"""Rungs from which on a claim is more than chance."""
_EXAMPLES = re.compile(r':\s*"[^"]*"(?:, "[^"]*")*(?: and [0-9,]+ more)?(?=[.;]|$)')
"""The files that a note of the set quotes: `: "a.jpg", "b.jpg" and 3 more`."""
_MARKS = ",;:."
_CLAUSE = re.compile(rf"(.*)[{_MARKS}]\s", re.DOTALL)


def _name(text: str) -> str:
    return display(clipped(text, MAX_NAME))


def about_people(result: AuditResult) -> list[Representation]:
    """Return the attributes that a card describes: people and the labels to learn, not batches and style."""
    return [each for each in result.representation if each.kind in ("demographic", "label")]


def annotation(about: Representation) -> str:
    """Return how many images have an attribute, and how they got it."""
    return (
        f"{_name(about.attribute)}: {counted(about.annotated, 'image')} {about.source},"
        f" {whole(about.not_annotated)} not."
    )


def label_makers(result: AuditResult) -> list[str]:
    """Return who made the labels, as the set says, and which of them a model made."""
    origin = clipped(result.dataset.label_source.strip(), MAX_SENTENCE)
    texts = [origin or "The set does not say who made its labels."]
    for source, words in (
        ("annotated", "Labels that came with the set"),
        ("predicted", "Labels that a model predicted"),
    ):
        names = [_name(each.attribute) for each in about_people(result) if each.source == source]
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
    texts += [
        f"{_name(each.attribute)}: a label of a person in {counted(each.annotated, 'image')} ({each.source})."
        for each in result.representation
        if each.kind == "demographic"
    ]
    texts += [
        f"{_name(each.attribute)}: says who is shown, in all but {counted(each.unnamed, 'image')}."
        for each in result.subjects
    ]
    if result.age_heaping is not None:
        texts.append("The set holds ages in years.")
    return texts


def risks(result: AuditResult) -> list[Block]:
    """Return the findings that matter, but for one that would rank combinations of few images."""
    measured = (
        f"Measured on {_name(result.dataset.name)}: {counted(result.dataset.listed, 'image')} listed,"
        f" {whole(result.dataset.ok)} used. Every share stands next to its count and its interval."
    )
    blocks: list[Block] = [Prose(measured)]
    if not result.complete:
        blocks.append(Prose(INCOMPLETE))
    texts = [
        clipped(f"{each.text} ({each.figures})" if each.figures else each.text, MAX_SENTENCE)
        for each in result.findings
        if each.severity != "fine" and each.code != _RANKED
    ]
    more = len(texts) - N_FINDINGS
    blocks += [Bullets(tuple(texts[:N_FINDINGS]))] if texts else []
    blocks += [Prose(f"... and {counted(more, 'further finding')} in result.json.")] * (more > 0)
    return blocks


def combinations(result: AuditResult) -> list[Block]:
    """Return how many combinations are empty or thin, those in the order of their names, and the widest gaps."""
    found = result.intersections
    if found is None or not found.cells or not found.n:
        return []
    names = " × ".join(_name(name) for name in found.attributes)
    text = (
        f"Of {counted(found.cells, 'combination')} of {names} ({counted(found.n, 'image')}),"
        f" {whole(found.empty)} are without an image and {whole(found.under_30)} have 1 to {TOO_FEW - 1}."
    )
    named = dict.fromkeys((*found.smallest, *found.largest_gaps))
    thin = sorted((cell for cell in named if cell.count < TOO_FEW), key=lambda cell: cell.groups)
    gaps = [cell for cell in found.largest_gaps if cell.count >= TOO_FEW]
    return [
        Prose(text),
        *_cells("Fewer than 30 images, in no ranking", thin),
        *_cells("Furthest below what unrelated attributes would give", gaps),
    ]


def _cells(title: str, cells: Sequence[Cell]) -> list[Block]:
    if not cells:
        return []
    rows = [
        (
            " × ".join(_name(group) for group in cell.groups),
            whole(cell.count),
            number(cell.expected, 1),
        )
        for cell in cells
    ]
    return [plain_table(title, ("combination", "images", "if unrelated"), rows, right=(1, 2))]


def copies(result: AuditResult) -> str:
    """Return how many files are byte-identical copies."""
    found = result.duplicates
    if not found.groups:
        return "No two files are byte-identical."
    left_out = f"{counted(found.left_out, 'copy', 'copies')} left out of the tests"
    kept = left_out if found.left_out else "all kept in the tests"
    return f"{counted(found.files, 'file')} in {counted(found.groups, 'group')} of byte-identical files; {kept}."


def conflicts(result: AuditResult) -> str:
    """Return where copies of one image carry different labels; "" when none do."""
    found = [each for each in result.duplicates.conflicts if each.count]
    if not found:
        return ""
    named = ", ".join(f"{_name(each.name)} in {whole(each.count)}" for each in found)
    return (
        f"Copies of one image carry different labels, so at least one of them is wrong: {named} of"
        f" {counted(result.duplicates.groups, 'group')} of copies."
    )


def missing(result: AuditResult) -> list[str]:
    """Return what failed, what could not be read, and what is not annotated."""
    facts = result.dataset
    texts = [
        f"{whole(facts.failed)} of {counted(facts.listed, 'listed image')} could not be used"
        f"{_by_reason(facts.failures)}."
    ]
    if facts.rejects:
        amount = counted(
            sum(each.count for each in facts.rejects), "label or line", "labels or lines"
        )
        texts.append(
            f"{amount} could not be read or had to be repaired{_by_reason(facts.rejects)}."
        )
    return texts + [
        f"{_name(each.attribute)} is not annotated in"
        f" {part(each.not_annotated, each.annotated + each.not_annotated)}."
        for each in about_people(result)
        if each.not_annotated
    ]


def _by_reason(found: Sequence[RejectCount]) -> str:
    named = ", ".join(f"{_name(each.reason)} {whole(each.count)}" for each in found)
    return f" ({named})" if named else ""


def notes(result: AuditResult) -> list[str]:
    """Return the notes of the set without the file names they quote: a name can hold an age and a gender."""
    kept = (_without_names(note) for note in result.dataset.notes)
    return [clipped(text, MAX_SENTENCE) for text in kept if text]


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


def about_the_model(result: AuditResult) -> list[str]:
    """Return whose vectors were clustered, and what a reader has to know of them; nothing without clusters."""
    model = result.model
    if model is None:
        return ["No vectors were made: nothing is said about a latent space."]
    if result.clustering is None:
        return []
    text = f"What is said of clusters is said of the vectors of {_name(model.name)}; another model can sort otherwise."
    caveat = clipped(model.caveat.strip(), MAX_SENTENCE)
    return [text, caveat] if caveat else [text]


def recommendations(result: AuditResult) -> list[str]:
    """Return what follows from the numbers; nothing that was not measured is recommended."""
    found = result.intersections
    has_cells = found is not None and bool(found.n)
    thin = 0 if found is None or not has_cells else (found.empty or 0) + (found.under_30 or 0)
    has_groups = any(each.annotated for each in about_people(result))
    low, held = listed(list(_under_represented(result))), listed(list(_held(result)))
    ages = result.age_heaping
    is_heaped = ages is not None and ages.whipple is not None and ages.whipple >= _HEAPED
    advice = {
        "Report a model's results for each group with counts and intervals, not as one number.": has_groups,
        f"A result over the whole set says little about: {low}.": bool(low),
        f"Make no statement about the {counted(thin, 'combination')} with fewer than {TOO_FEW} images.": thin
        > 0,
        "Keep all copies of an image in the same split, or keep one copy.": result.duplicates.groups
        > 0,
        "Look at the labels of the copies that disagree before you trust single labels.": bool(
            conflicts(result)
        ),
        "Use bins of ages rather than single years: ages are rounded.": is_heaped,
        f"Check what a model that starts from these vectors makes of: {held}; the clusters are associated with them beyond"
        " chance.": bool(held),
        "Do not take the labels for what people say of themselves.": has_groups,
    }
    texts = [text for text, holds in advice.items() if holds]
    return texts or ["None: nothing was measured that one could follow from."]


def _under_represented(result: AuditResult) -> Iterable[str]:
    for each in about_people(result):
        for group in each.groups:
            if (
                (group.count or 0) >= TOO_FEW
                and group.ratio is not None
                and group.ratio < FOUR_FIFTHS
            ):
                yield f"{_name(group.name)} ({_name(each.attribute)})"


def _held(result: AuditResult) -> Iterable[str]:
    kinds = {each.attribute: each.kind for each in result.associations}
    for ladder in result.ladders:
        if (
            ladder.of == "cluster"
            and kinds.get(ladder.attribute) == "demographic"
            and ladder.highest >= _MIN_HELD
        ):
            yield _name(ladder.attribute)


def computation(result: AuditResult) -> list[tuple[str, str]]:
    """Return (what, value) of everything that the numbers depend on and a reader may want to repeat."""
    settings, versions = dict(setting_texts(result.config)), dict(result.versions)
    facts = [("fer-audit", versions.get("fer-audit", ""))]
    if result.model is not None:
        model = result.model
        used = f"{model.name}, {model.precision}, {whole(model.dim)} numbers an image, ran on {model.provider}"
        facts += [("model", used), ("model file, sha256", model.sha256)]
    if result.clustering is not None:
        chosen = " (chosen by --k auto)" if result.clustering.votes else ""
        facts.append(("k", f"{result.clustering.k}{chosen}"))
    for name in ("seed", "confidence", "alpha", "permutations", "bootstraps", "keep_duplicates"):
        facts.append((display(name), settings[name]))
    used = f"{whole(result.dataset.listed)} listed, {whole(result.dataset.ok)} used"
    facts += [("images", used), ("set, fingerprint", result.dataset.fingerprint)]
    return [(what, clipped(value, MAX_SENTENCE)) for what, value in facts if value]
