"""What parts share, subjects and votes, as they are read in the report."""

from __future__ import annotations

from fer_audit.audit.types.composition import VoteAgreement
from fer_audit.audit.types.copies import InPart, PartPair, SplitLeak, SubjectFacts
from fer_audit.report.sections.composition import composition
from fer_audit.report.sections.split_leakage import split_leakage
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said, tables

PAIR = PartPair("train", "test", 312, 640)
EXAMPLE = (InPart("train", "a.jpg"), InPart("test", "b.jpg"))
PHOTOS = SplitLeak("split", None, 312, 640, (PAIR,), (EXAMPLE,))
NOBODY = SplitLeak("split", "person_id", 0, 0, (), ())


def test_every_pair_has_its_counts_and_the_list_is_named() -> None:
    section = split_leakage(View(utkface().having(split_leaks=(PHOTOS, NOBODY))))

    text = said(section)
    assert "312 byte-identical photos in more than one part of split: 640 images." in text
    assert "No person (person id) in more than one part of split." in text
    assert "All of these images are listed in lists/split_leaks.csv." in text
    assert rows(section, "Shared by parts of split: photos") == [
        {"part": "train", "and part": "test", "photos": "312", "images": "640"}
    ]
    assert rows(section, "For example, by split: photos") == [
        {"images": "train: a.jpg and test: b.jpg"}
    ]


def test_a_set_without_parts_has_no_section_and_one_that_shares_nothing_no_tables() -> None:
    section = split_leakage(View(utkface().having(split_leaks=(NOBODY,))))

    assert split_leakage(View(utkface())) is None
    assert tables(section) == {}
    assert "lists/" not in said(section)


def test_subjects_and_votes_have_a_line_each_also_where_nothing_else_is_known() -> None:
    facts = SubjectFacts("person_id", 118, 1, 2.5, 22, 1)
    votes = VoteAgreement("emotion", ("happy", "sad"), 1000, 0.8, 105)

    text = said(composition(View(bare().having(subjects=(facts,), votes=(votes,)))))

    assert (
        "Person id: 118 people, 1 to 22 images of each, median 2.5; 1 image names nobody." in text
    )
    assert (
        "Emotion: where several annotators voted, the winning answer has 80.0 % of the votes in the median image; "
        "10.5 % (105 of 1,000) images have no answer with more than half." in text
    )


def test_withheld_numbers_of_subjects_are_marked() -> None:
    facts = SubjectFacts("person", None, None, None, None, 3, (("subjects", "withheld"),))

    text = said(composition(View(utkface().having(subjects=(facts,)))))

    assert (
        "Person: [c] people, [c] to [c] images of each, median [c]; 3 images name nobody." in text
    )
