"""What only a dataset card says: each sentence with its number, none that was not measured, no image file named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fer_audit.audit.types.composition import FOUR_FIFTHS, RejectCount, Representation
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


def annotated(result: AuditResult) -> list[str]:
    """Return how many images have each attribute, and how they got it."""
    return [
        f"{_name(x.attribute)}: {counted(x.annotated, 'image')} {x.source}, {whole(x.not_annotated)} not."
        for x in about_people(result)
    ] or ["The set has no labels."]


def label_makers(result: AuditResult) -> list[str]:
    """Return who made the labels, as the set says, and which of them a model made."""
    origin = clipped(result.dataset.label_source.strip(), MAX_SENTENCE)
    texts = [origin or "The set does not say who made its labels."]
    came = {
        "annotated": "Labels that came with the set",
        "predicted": "Labels that a model predicted",
    }
    for source, words in came.items():
        names = [_name(each.attribute) for each in about_people(result) if each.source == source]
        texts += [f"{words}: {', '.join(names)}."] if names else []
    return texts


def _shown_in(unnamed: int) -> str:
    return f"in all but {counted(unnamed, 'image')}" if unnamed else "in every image"


def personal(result: AuditResult) -> list[str]:
    """Return what is personal in the set."""
    return [
        "The faces of this demo set are drawn: nobody is shown."
        if result.planted
        else "The set was audited as images of faces. A face is personal data: it can identify the person shown.",
        *(
            f"{_name(x.attribute)}: a label of a person in {counted(x.annotated, 'image')} ({x.source})."
            for x in result.representation
            if x.kind == "demographic"
        ),
        *(
            f"{_name(x.attribute)}: says who is shown, {_shown_in(x.unnamed)}."
            for x in result.subjects
        ),
        *(["The set holds ages in years."] if result.age_heaping is not None else []),
    ]


def risks(result: AuditResult) -> list[Block]:
    """Return the findings that matter, but for one that would rank combinations of few images."""
    measured = (
        f"Measured on {_name(result.dataset.name)}: {counted(result.dataset.listed, 'image')} listed,"
        f" {whole(result.dataset.ok)} used. Every share stands next to its count and its interval."
    )
    texts = tuple(
        clipped(f"{each.text} ({each.figures})" if each.figures else each.text, MAX_SENTENCE)
        for each in result.findings
        if each.severity != "fine" and each.code != _RANKED
    )
    more = len(texts) - N_FINDINGS
    blocks: list[Block] = [Prose(measured)]
    blocks += [] if result.complete else [Prose(INCOMPLETE)]
    blocks += [Bullets(texts[:N_FINDINGS])] if texts else []
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
    blocks: list[Block] = [Prose(text)]
    for title, cells in (
        ("Fewer than 30 images, in no ranking", thin),
        ("Furthest below what unrelated attributes would give", gaps),
    ):
        rows = [
            (" × ".join(map(_name, x.groups)), whole(x.count), number(x.expected, 1))
            for x in cells
        ]
        columns = ("combination", "images", "if unrelated")
        blocks += [plain_table(title, columns, rows, right=(1, 2))] if rows else []
    return blocks


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
    listed = counted(facts.listed, "listed image")
    texts = [f"{whole(facts.failed)} of {listed} could not be used{_by_reason(facts.failures)}."]
    if facts.rejects:
        lines = sum(each.count for each in facts.rejects)
        amount = counted(lines, "label or line", "labels or lines")
        repaired = f"could not be read or had to be repaired{_by_reason(facts.rejects)}"
        texts.append(f"{amount} {repaired}.")
    return texts + [
        f"{_name(x.attribute)} is not annotated in {part(x.not_annotated, x.annotated + x.not_annotated)}."
        for x in about_people(result)
        if x.not_annotated
    ]


def _by_reason(found: Sequence[RejectCount]) -> str:
    named = ", ".join(f"{_name(each.reason)} {whole(each.count)}" for each in found)
    return f" ({named})" if named else ""


def notes(result: AuditResult) -> list[str]:
    """Return the notes of the set without the file names they quote: a name can hold an age and a gender."""
    kept = map(_without_names, result.dataset.notes)
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
    text = f"What is said of clusters is said of the vectors of {_name(model.name)}; another model can sort otherwise."
    texts = (text, clipped(model.caveat.strip(), MAX_SENTENCE))
    return [] if result.clustering is None else [each for each in texts if each]


def recommendations(result: AuditResult) -> list[str]:
    """Return what follows from the numbers; nothing that was not measured is recommended."""
    found, ages, about = result.intersections, result.age_heaping, about_people(result)
    thin = 0 if found is None or not found.n else (found.empty or 0) + (found.under_30 or 0)
    has_groups = any(each.annotated for each in about)
    low = [
        f"{_name(group.name)} ({_name(each.attribute)})"
        for each in about
        for group in each.groups
        if (group.count or 0) >= TOO_FEW and (group.ratio or 1.0) < FOUR_FIFTHS
    ]
    tiny = [
        f"{_name(group.name)} ({_name(each.attribute)})"
        for each in about
        for group in each.groups
        if 0 < (group.count or 0) < TOO_FEW
    ]
    kinds = {each.attribute: each.kind for each in result.associations}
    held = [
        _name(x.attribute)
        for x in result.ladders
        if x.of == "cluster" and kinds.get(x.attribute) == "demographic" and x.highest >= _MIN_HELD
    ]
    texts = []
    if has_groups:
        texts.append(
            "Report a model's results for each group with counts and intervals, not as one number."
        )
    if low:
        texts.append(f"A result over the whole set says little about: {listed(low)}.")
    if tiny:
        texts.append(
            f"Make no statement about groups of fewer than {TOO_FEW} images: {listed(tiny)}."
        )
    if thin:
        few = f"{counted(thin, 'combination')} with fewer than {TOO_FEW} images"
        texts.append(f"Make no statement about the {few}.")
    if result.duplicates.groups:
        texts.append("Keep all copies of an image in the same split, or keep one copy.")
    if conflicts(result):
        texts.append(
            "Look at the labels of the copies that disagree before you trust single labels."
        )
    if ages is not None and (ages.whipple or 0.0) >= _HEAPED:
        texts.append("Use bins of ages rather than single years: ages are rounded.")
    if held:
        beyond = "the clusters are associated with them beyond chance."
        texts.append(
            f"Check what a model that starts from these vectors makes of: {listed(held)}; {beyond}"
        )
    if has_groups:
        texts.append("Do not take the labels for what people say of themselves.")
    return texts or ["None: nothing was measured that one could follow from."]


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
