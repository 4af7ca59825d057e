"""A dataset card: measured numbers only, the same bytes for the same result, and nothing that names can do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from fer_audit.audit.run import audit
from fer_audit.audit.types.composition import Cell
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.report import card_sentences as say
from fer_audit.report.blocks import Table
from fer_audit.report.card import BEGIN, END, CardFormat, dataset_card
from fer_audit.report.sections.found import CANNOT_SAY
from fer_audit.report.sections.method import run_command_line
from tests.audit.predicted import planted
from tests.known import known
from tests.report.results import bare, degenerate, hostile, paper, utkface

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
DOCS = Path(__file__).parents[2] / "docs"
RESULTS = (utkface, paper, degenerate, bare, hostile)
FORMS: tuple[CardFormat, ...] = ("markdown", "croissant")

THREE_NAMES = "3 names carry none: it counts as none."
TABLES = "Tables that were not read; --format table reads one."
ODD_NAMES = (
    *("39_1_20170116174525125.jpg.chip.jpg", "61_1_20170109142408075.jpg.chip.jpg"),
    *("61_1_20170109150557335.jpg.chip.jpg", "30_1_20170109150557336.jpg.chip.jpg"),
    *("24_0_1_20170116220224657 .jpg.chip.jpg", "55_0_0_20170116232725357jpg.chip.jpg"),
    *("44_1_4_2017011623515027.jpg.chip.jpg", "30_1_0_20171399150557335.jpg.chip.jpg"),
    'my "holiday" 1.jpg',
)


def utkface_notes(folder: Path) -> tuple[str, ...]:
    """Return what the reader notes of a folder with odd names, two of which stand in it twice."""
    (folder / "again").mkdir()
    for name in ODD_NAMES:
        (folder / name).write_bytes(name.encode())
    (folder / "again" / ODD_NAMES[0]).write_bytes(ODD_NAMES[0].encode())
    (folder / "again" / ODD_NAMES[1]).write_bytes(b"other bytes")
    return load_dataset(folder, AuditConfig.of(layout="utkface")).notes


def with_set_notes(*notes: str) -> AuditResult:
    base = utkface()
    return replace(base, dataset=replace(base.dataset, notes=notes))


def titles(card: str) -> list[str]:
    tokens = READER.parse(card)
    return [
        tokens[index + 1].content
        for index, each in enumerate(tokens)
        if each.type == "heading_open"
    ]


def section(card: str, title: str) -> str:
    return re.split(rf"^#+ {re.escape(title)}$", card, flags=re.MULTILINE)[1].split("\n#")[0]


def croissant(result: AuditResult) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(dataset_card(result, form="croissant"))
    return document


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("build", RESULTS, ids=lambda build: build.__name__)
def test_the_same_result_gives_the_same_bytes(
    build: Callable[[], AuditResult], form: CardFormat
) -> None:
    assert dataset_card(build(), form=form).encode() == dataset_card(build(), form=form).encode()


def test_the_sections_have_the_titles_of_the_template_in_its_order() -> None:
    found = titles(dataset_card(utkface()))

    expected = [
        *("Annotations", "Annotation process", "Who are the annotators?"),
        *("Personal and Sensitive Information", "Bias, Risks, and Limitations"),
        *("Considerations for Using the Data", "Recommendations"),
    ]
    assert [title for title in found if title in expected] == expected


WHO, SORTS = "Who is in the set", "Do clusters of the vectors sort people?"
COMPUTED = "How this was computed"


@pytest.mark.parametrize(
    ("build", "title", "text"),
    [
        (utkface, WHO, "| White | 42.5 % (10,078; 41.9-43.1) | 2.13× ▲ over |"),
        (utkface, WHO, "| not annotated | 3 (annotated: 23,704) |"),
        (utkface, SORTS, ".213 (.193-.264)"),
        (utkface, SORTS, "| 5 of 8: not image style |"),
        (utkface, "Duplicates, conflicts and gaps", "765 files in 375 groups"),
        (utkface, "Copies and contradicting labels", "race in 70, gender in 40, age in 205"),
        *((utkface, COMPUTED, x) for x in ("| fer-audit | 0.1.0 |", "| model | resnet50-keras,")),
        *((utkface, COMPUTED, x) for x in ("| seed | 0 |", "| k | 4 |")),
        (utkface, COMPUTED, "fer-audit run DATASET --model resnet50-keras --k 4 --seed 0"),
        (utkface, "Recommendations", "results for each group"),
        (paper, "Personal and Sensitive Information", "nobody is shown"),
        (utkface, "Personal and Sensitive Information", "can identify the person"),
        (lambda: audit(planted()), "Whom do models fail?", "fer-mini is right about sad in"),
        (bare, "Annotation process", "The set has no labels"),
        *((each, "Recommendations", "nothing was measured") for each in (bare, degenerate)),
    ],
)  # fmt: skip
def test_a_section_says(build: Callable[[], AuditResult], title: str, text: str) -> None:
    assert text in section(dataset_card(build()), title)


def test_what_is_kept_and_what_an_audit_cannot_say_is_told_between_two_comments() -> None:
    card = dataset_card(utkface())

    assert re.search(r"6 crawl hour \|.*\| 2.1 % \(-2.6 to 7.3\) \|", card)
    assert card.startswith(f"{BEGIN}\n")
    assert card.endswith(f"{END}\n")
    for text in (card, dataset_card(utkface(), form="croissant")):
        assert all(sentence in text for sentence in CANNOT_SAY)


@pytest.mark.parametrize("build", [bare, degenerate], ids=lambda build: build.__name__)
def test_without_groups_nothing_is_recommended_about_them(
    build: Callable[[], AuditResult],
) -> None:
    assert not re.search("group|labels", section(dataset_card(build()), "Recommendations"))


def test_an_incomplete_audit_says_so_in_both_forms() -> None:
    assert "INCOMPLETE" in dataset_card(degenerate())
    assert "INCOMPLETE" in croissant(degenerate())["rai:dataLimitations"][0]


def test_no_file_is_named(tmp_path: Path) -> None:
    """The notes are those of the reader of UTKFace's names, on names that the set holds and some more."""
    with_notes = with_set_notes(*utkface_notes(tmp_path))
    assert sum('"' in note for note in with_notes.dataset.notes) == 7

    for form in FORMS:
        card = dataset_card(with_notes, form=form)

        assert "carry no race" in card
        assert "misspelt, but the labels could be read." in card
        for part in ("jpg", "20170116174525125", "30_1_", "holiday", "for example", " more."):
            assert part not in card, part


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        ('3 names carry none: it counts as none: "a", "b" and 1,234 more.', THREE_NAMES),
        ('3 names carry none: it counts as none: "1_0 "x".jpg", "b".', THREE_NAMES),
        ('3 names carry none: it counts as none: "a"; 1_0.jpg; "".', THREE_NAMES),
        ('3 names carry none: it counts as none: "a"; 1_0: "b", "c".', THREE_NAMES),
        ('Tables that were not read: "a.csv"; --format table reads one.', TABLES),
        (
            '1,000 files repeat others, for example "a", a copy of "b".',
            "1,000 files repeat others.",
        ),
        ('It is old. The file "a" is broken.', "It is old."),
        ('The file "a" is broken.', None),
        ('"a" is broken.', None),
        ("Ages are round: 20, 25.", "Ages are round: 20, 25."),
    ],
)
def test_a_note_loses_the_names_it_quotes_and_stays_a_sentence(
    note: str, kept: str | None
) -> None:
    assert say.notes(with_set_notes(note)) == ([] if kept is None else [kept])


def test_the_finding_that_singles_out_the_thinnest_combination_is_left_out() -> None:
    text = "Others, male, 70+ (3) would need about 213,336 more images."
    base = utkface()
    thin = Finding("thin_intersections", "fix", text, None, 0.1)

    card = dataset_card(replace(base, findings=(thin, *base.findings)))

    assert "213,336" not in card
    assert card == dataset_card(base)


def test_thin_combinations_stand_in_the_order_of_their_names_and_no_other_is_ranked_with_them() -> (
    None
):
    thin, gaps = (block for block in say.combinations(utkface()) if isinstance(block, Table))

    names = [str(row[0]) for row in thin.rows]
    assert names == sorted(names)
    assert ("Other × male × 70+", "0", "24.9") in thin.rows
    assert all(int(str(row[1])) < 30 for row in thin.rows)
    assert [str(row[0]).split(" ")[0] for row in gaps.rows] == ["White"]


def test_a_group_of_fewer_than_thirty_images_is_marked_and_not_called_under_represented() -> None:
    card = dataset_card(paper())

    assert "| Black (fewer than 30 images) | 2.6 % (13; 1.2-4.0) |" in card
    (line,) = [x for x in section(card, "Recommendations").splitlines() if "Black (race)" in x]
    assert line == "- Make no statement about groups of fewer than 30 images: Black (race)."


def test_a_run_without_clusters_says_nothing_of_the_vectors_of_its_model() -> None:
    """Three images are embedded, but not clustered."""
    vectors_only = replace(bare(), model=utkface().model)

    for form in FORMS:
        card = dataset_card(vectors_only, form=form)

        assert "said of clusters" not in card
        assert known(vectors_only.model).caveat not in card
        assert "said of clusters" in dataset_card(utkface(), form=form)


def test_no_name_and_no_note_becomes_markup() -> None:
    tokens = READER.parse(dataset_card(hostile()))

    html = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert html == [BEGIN, END]
    inner = {child.type for token in tokens for child in token.children or ()}
    assert inner <= {"text", "text_special"}
    fences = [token.content for token in tokens if token.type in ("fence", "code_block")]
    assert len(fences) == 1
    assert re.fullmatch(r"[A-Za-z0-9_., -]+\n", fences[0])


def test_hostile_names_open_no_section_and_no_column() -> None:
    friendly, attacked = dataset_card(utkface()), dataset_card(hostile())

    assert set(titles(attacked)) <= set(titles(friendly))
    tokens = READER.parse(attacked)
    widths = []
    for token in tokens:
        if token.type == "tr_open":
            widths.append(0)
        elif token.type in ("td_open", "th_open"):
            widths[-1] += 1
    assert set(widths) <= {2, 3, 4, 5, 6, 7, 8, 9}
    assert "\x1b" not in attacked
    assert "\u202e" not in attacked


def test_hostile_names_cannot_leave_json_or_a_script_element() -> None:
    text = dataset_card(hostile(), form="croissant")

    assert "<" not in text
    assert "\x1b" not in text
    strings = json.dumps(json.loads(text), ensure_ascii=False)
    assert "\\\\x1b[31mred" in strings
    assert "\u202e" not in strings


def test_croissant_declares_the_vocabulary_and_only_it() -> None:
    document = croissant(utkface())

    assert document["conformsTo"] == "http://mlcommons.org/croissant/RAI/1.0"
    assert document["@context"]["rai"] == "http://mlcommons.org/croissant/RAI/"
    assert document["@type"] == "sc:Dataset"
    assert {key for key in document if not key.startswith(("@", "conformsTo"))} == {
        *("rai:dataBiases", "rai:dataLimitations", "rai:personalSensitiveInformation"),
        *("rai:dataAnnotationProtocol", "rai:dataAnnotationAnalysis"),
        "rai:dataCollectionMissingData",
    }


def test_fields_hold_one_text_or_many_as_the_specification_says_and_none_that_is_not_known() -> (
    None
):
    """The specification's column of cardinality: ONE or MANY."""
    document = croissant(utkface())

    for name in ("rai:dataAnnotationProtocol", "rai:dataCollectionMissingData"):
        assert isinstance(document[name], str)
    for name in ("rai:dataBiases", "rai:dataLimitations", "rai:personalSensitiveInformation"):
        assert all(isinstance(text, str) for text in document[name])
    for name in ("dataSocialImpact", "dataUseCases", "dataCollection", "annotatorDemographics"):
        assert f"rai:{name}" not in document
    assert not {"rai:dataBiases", "rai:dataAnnotationProtocol"} & croissant(bare()).keys()


def test_the_merge_of_the_documentation_keeps_the_dataset_and_adds_the_fields(
    tmp_path: Path,
) -> None:
    script = known(re.search(r"```python\n(.*?)```", (DOCS / "card.md").read_text(), re.DOTALL))
    (tmp_path / "merge.py").write_text(script[1])
    own = {"@context": {"cr": "http://mlcommons.org/croissant/"}, "name": "faces"}
    own |= {"conformsTo": "http://mlcommons.org/croissant/1.1"}
    (tmp_path / "croissant.json").write_text(json.dumps(own))
    (tmp_path / "rai.json").write_text(dataset_card(utkface(), form="croissant"))

    done = subprocess.run(
        [sys.executable, "merge.py", "croissant.json", "rai.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    merged = json.loads(done.stdout)
    assert merged["name"] == "faces"
    assert merged["conformsTo"] == [own["conformsTo"], "http://mlcommons.org/croissant/RAI/1.0"]
    assert merged["rai:dataBiases"] == croissant(utkface())["rai:dataBiases"]
    assert set(own["@context"]) < set(merged["@context"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"k_auto": True}, "--k auto"),
        ({"model": "/home/somebody/secret.onnx"}, "--model MODEL"),
        ({"model": "--help"}, "--model MODEL"),
        ({"sample": 500}, "--sample 500"),
        ({"layout": "99; rm -rf ."}, "--layout LAYOUT"),
        ({"keep_duplicates": True}, "--keep-duplicates"),
    ],
    ids=str,
)
def test_the_command_repeats_the_settings_and_nothing_dangerous(
    settings: dict[str, object], expected: str
) -> None:
    result = replace(utkface(), config=utkface().config.having(**settings))

    command, _ = run_command_line(result)

    assert expected in command
    assert re.fullmatch(r"[A-Za-z0-9_., -]+", command)


def test_the_command_of_the_built_in_demo_set_needs_no_dataset() -> None:
    command, _ = run_command_line(paper())

    assert command.startswith("fer-audit run --")
    assert "DATASET" not in dataset_card(paper())
    assert "DATASET" not in dataset_card(paper(), form="croissant")


def test_a_set_of_full_combinations_has_no_table_of_thin_ones() -> None:
    base = utkface()
    full = replace(
        known(base.intersections),
        empty=0,
        under_30=0,
        smallest=(Cell(("Other", "male", "70+"), 31, 30.0, 0.1),),
        largest_gaps=(),
    )

    card = dataset_card(base.having(intersections=full))

    assert "in no ranking" not in card
    assert "combinations with fewer" not in section(card, "Recommendations")
