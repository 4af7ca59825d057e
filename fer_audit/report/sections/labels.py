"""Copies of images and what their labels say, photos and people that parts of the set share, and files with defects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.types.composition import RejectCount
from fer_audit.audit.types.copies import SplitLeak
from fer_audit.audit.types.lists import NEAR_DUPLICATES, SPLIT_LEAKS
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import Block, Bullets, Prose
from fer_audit.report.sections.values import left, right, section, small, spoken, table_of
from fer_audit.report.view import View
from fer_audit.text import clipped, counted, display, number, part, percent, whole


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(clipped(each, 60) for each in ids)


def copies_in_words(result: AuditResult) -> str:
    """Return how many files are byte-identical copies."""
    found = result.duplicates
    if not found.groups:
        return "No two files are byte-identical."
    left_out = f"{counted(found.left_out, 'copy', 'copies')} left out of the tests"
    files, groups = counted(found.files, "file"), counted(found.groups, "group")
    kept = left_out if found.left_out else "all kept in the tests"
    return f"{files} in {groups} of byte-identical files; {kept}."


@section("copies", "Are there copies, and do their labels agree?")
def copies(view: View) -> Iterator[Block]:
    """Return how many files are copies, how many have contradicting labels, and a few of them."""
    found = view.result.duplicates
    yield Prose(copies_in_words(view.result))
    if conflicts := [each for each in found.conflicts if found.groups and each.count]:
        yield table_of(
            "Groups whose copies disagree, so at least one label is wrong",
            conflicts,
            left("label", lambda x: display(clipped(x.name, 28)), wrap=12),
            right("groups", lambda x: whole(x.count)),
        )
    if found.groups and found.examples:
        yield table_of("For example", found.examples, left("identical files", _ids, wrap=20))
    yield from _near(view)


def _near(view: View) -> Iterator[Block]:
    """Return how many images are one photo in other bytes, and in which labels they differ."""
    found = view.result.near_duplicates
    if found is None:
        return
    where = "no cosine"
    if found.threshold is not None:
        where = f"cosine from {number(found.threshold, 3)} ({found.method})"
    pixels = "all images" if found.all_pixels else f"pairs with a cosine above {found.floor:.3f}"
    how = f"Compared: {counted(found.compared, 'image')}, one of each byte-identical copy; {where}, or the same pixels, of {pixels}."
    how += f" {found.cut}." if found.cut else ""
    if not found.groups:
        yield Prose(f"No two images are near-identical. {how}")
        return
    images, groups = counted(found.images, "image"), counted(found.groups, "group")
    confirmed = part(found.confirmed, found.pairs)
    photos = f"{images} in {groups} of near-identical photos"
    yield Prose(f"{photos}; their pixels confirm {confirmed} of the pairs.")
    yield small(f"{how} All are listed in {NEAR_DUPLICATES}.")
    if any(each.pairs for each in found.disagreements):
        yield table_of(
            "Labels that differ between near-identical photos",
            found.disagreements,
            left("label", lambda x: f"{display(clipped(x.attribute, 28))}{x.by_years}", wrap=12),
            right("pairs", lambda x: whole(x.pairs)),
            right("differ", lambda x: whole(x.differ)),
            right("share", lambda x: percent(x.share)),
            right("groups", lambda x: whole(x.groups)),
            note="Pairs that their pixels confirm.",
        )
    if found.examples:
        column = left("near-identical photos", _ids, wrap=20)
        yield table_of("For example", found.examples, column, importance="detail")


@section("parts", "Do parts of the set share photos or people?")
def split_leakage(view: View) -> Iterator[Block]:
    """Return how many photos and people lie in several parts of each split; nothing if the set has no parts."""
    leaks = view.result.split_leaks
    yield from (Prose(_leak(leak)) for leak in leaks)
    for leak in leaks:
        by, of_people = spoken(leak.attribute), leak.subject is not None
        what = f"people ({spoken(leak.subject)})" if leak.subject is not None else "photos"
        what += ", near-identical" if leak.near_identical else ""
        if leak.pairs:
            yield table_of(
                f"Shared by parts of {by}: {what}",
                leak.pairs,
                left("part", lambda x: clipped(x.first, 28), wrap=8),
                left("and part", lambda x: clipped(x.second, 28), wrap=8),
                right("people" if of_people else "photos", lambda x: whole(x.groups)),
                right("images", lambda x: whole(x.images)),
                note="Images: in these two parts.",
            )
        if leak.examples:
            rows = [
                [f"{clipped(x.part, 28)}: {clipped(x.id, 60)}" for x in y] for y in leak.examples
            ]
            column = left("images", " and ".join, wrap=20)
            yield table_of(f"For example, by {by}: {what}", rows, column, importance="detail")
    if any(leak.examples for leak in leaks):
        yield small(f"All of these images are listed in {SPLIT_LEAKS}.")


def _leak(leak: SplitLeak) -> str:
    what = f"{'near' if leak.near_identical else 'byte'}-identical photo"
    many = f"{what}s"
    if leak.subject is not None:
        what, many = (f"{word} ({spoken(leak.subject)})" for word in ("person", "people"))
    where = f"in more than one part of {spoken(leak.attribute)}"
    if not leak.groups:
        return f"No {what} {where}."
    return f"{counted(leak.groups, what, many)} {where}: {counted(leak.images, 'image')}."


@section("files", "Which files and labels have defects?")
def files(view: View) -> Iterator[Block]:
    """Return what failed, what is odd, and what is known to be wrong with the set."""
    dataset = view.result.dataset
    is_asked = any(each.kind == "demographic" for each in view.result.representation)
    labelled = f"; {whole(dataset.fully_labelled)} have all labels" if is_asked else ""
    yield Prose(
        f"{whole(dataset.listed)} files listed = {whole(dataset.ok)} ok + {whole(dataset.failed)} failed{labelled}."
    )
    if dataset.notes:
        yield Bullets(dataset.notes)
    reasons: tuple[tuple[str, Sequence[RejectCount]], ...] = (
        ("Failed: could not be embedded", dataset.failures),
        ("Flagged: ok but odd", dataset.flags),
        ("Rejected: labels that could not be read", dataset.rejects),
    )
    for title, found in reasons:
        if found:
            yield table_of(
                title,
                found,
                left("reason", lambda x: display(x.reason), wrap=16),
                right("count", lambda x: whole(x.count)),
                left("for example", lambda x: _ids(x.examples), wrap=20),
            )
