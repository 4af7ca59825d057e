"""Copies, files and labels: every count, and which files to look at."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.sections.labels import copies, files
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said, sentences, tables


def test_copies_are_counted_and_contradicting_labels_are_counted_by_label() -> None:
    section = copies(View(utkface()))

    assert (
        "765 files in 375 groups of byte-identical files; 390 copies left out of the tests."
        in said(section)
    )
    assert rows(section, "Groups whose copies disagree, so at least one label is wrong") == [
        {"label": "race", "groups": "70"},
        {"label": "gender", "groups": "40"},
        {"label": "age", "groups": "205"},
    ]
    assert rows(section, "For example") == [
        {
            "identical files": "1_0_0_20161219140623097.jpg.chip.jpg, 1_0_0_20161219140627985.jpg.chip.jpg"
        }
    ]


def test_copies_that_agree_or_are_kept_say_so() -> None:
    found = replace(utkface().duplicates, left_out=0, conflicts=(), examples=())
    section = copies(View(utkface().having(duplicates=found)))

    assert "all kept in the tests." in said(section)
    assert tables(section) == {}
    assert "No two files are byte-identical." in said(copies(View(bare())))


def test_files_add_up_and_every_defect_has_its_count_and_examples() -> None:
    section = files(View(utkface()))

    assert sentences(section)[1:] == [
        "23,708 files listed = 23,707 ok + 1 failed; 23,704 have all labels.",
        *utkface().dataset.notes,
    ]
    assert rows(section, "Failed: could not be embedded") == [
        {
            "reason": "truncated",
            "count": "1",
            "for example": "44_1_4_20170116235150272.jpg.chip.jpg",
        }
    ]
    assert rows(section, "Flagged: ok but odd") == [
        {"reason": "png named jpg", "count": "2", "for example": "a.jpg, b.jpg"}
    ]
    missing, repaired = rows(section, "Rejected: labels that could not be read")
    assert missing["count"] == "3"
    assert missing["for example"].count(", ") == 2
    assert repaired["for example"] == "24_0_1_20170116220224657 .jpg.chip.jpg"


def test_a_set_without_defects_has_no_tables_of_them() -> None:
    dataset = replace(utkface().dataset, failures=(), flags=(), rejects=(), notes=())

    assert tables(files(View(replace(utkface(), dataset=dataset)))) == {}
