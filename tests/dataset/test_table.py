"""Tables: which columns are used, and as what; ages in years or in groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.table.columns import PATH_NAMES
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.trees import plant, plant_table, read_beside_faces, reasons, words
from tests.known import known


def test_a_fairface_table_is_read_as_it_is_published(tmp_path: Path) -> None:
    plant(tmp_path, "train/1.jpg", "train/2.jpg", "train/3.jpg")
    table = plant_table(
        tmp_path,
        "fairface_label_train.csv",
        [
            "file,age,gender,race,service_test",
            "train/1.jpg,50-59,Male,East Asian,True",
            "train/2.jpg,more than 70,Female,Latino_Hispanic,False",
            "train/3.jpg,3-9,Female,East Asian,False",
        ],
    )

    dataset = load_dataset(table)

    assert dataset.name == "fairface_label_train"
    assert [(a.name, a.kind, a.source) for a in dataset.attributes] == [
        ("gender", "demographic", "annotated"),
        ("race", "demographic", "annotated"),
        ("age_bin", "demographic", "annotated"),
    ]
    assert dataset.attribute("age_bin").categories == ("3-9", "50-59", "70+")
    assert words(dataset, "age_bin")["train/2.jpg"] == "70+"
    assert words(dataset, "race")["train/1.jpg"] == "East Asian"
    assert dataset.ages is None
    assert any('"service_test"' in note for note in dataset.notes)
    assert (
        dataset.label_source
        == "Column values of fairface_label_train.csv; who made them is not stated."
    )


def test_the_output_of_fairfaces_model_is_predicted_not_annotated(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path,
        "face_name_align,race,race_scores_fair",
        "a.jpg,White,[0.9 0.1]",
        "b.jpg,Black,[0 1]",
    )

    assert dataset.attribute("race").source == "predicted"
    assert "Predicted" in dataset.label_source


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_delimiter_line_end_and_byte_order_mark_do_not_matter(
    tmp_path: Path, delimiter: str, end: str, bom: bytes
) -> None:
    plant(tmp_path, "a.jpg", "b.jpg")
    lines = [
        ["File", " race ", "note"],
        ["a.jpg", '"White, or ""so"""', "x"],
        ["b.jpg", " Asian", ""],
    ]
    text = end.join(delimiter.join(cells) for cells in lines)
    (tmp_path / "t.csv").write_bytes(bom + text.encode())

    dataset = load_dataset(tmp_path / "t.csv")

    assert words(dataset, "race") == {"a.jpg": 'White, or "so"', "b.jpg": "Asian"}
    assert dataset.rejects == ()


def test_latin1_is_read_with_a_note_that_names_the_line(tmp_path: Path) -> None:
    plant(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "t.csv").write_bytes(b"file,race\r\na.jpg,x\r\nb.jpg,caf\xe9\r\n")

    dataset = load_dataset(tmp_path / "t.csv")

    assert words(dataset, "race") == {"a.jpg": "x", "b.jpg": "café"}
    assert any("byte 0xe9 in line 3" in note and "Latin-1" in note for note in dataset.notes)


@pytest.mark.parametrize("name", PATH_NAMES)
def test_the_path_column_is_found_by_its_usual_names_in_any_case(
    tmp_path: Path, name: str
) -> None:
    dataset = read_beside_faces(tmp_path, f"race,{name.upper().replace('_', ' ')}", "White,a.jpg")

    assert words(dataset, "race") == {"a.jpg": "White"}


def test_columns_asked_for_are_the_only_ones_used(tmp_path: Path) -> None:
    config = AuditConfig.of(
        path_column="picture",
        group=(("tone", "skin"),),
        label=(("mood", "Expr"),),
        batch=(("shot", "cam"),),
    )

    dataset = read_beside_faces(
        tmp_path, "picture,Expr,skin,cam,race", "a.jpg,happy,2,x,White", config=config
    )

    assert [(a.name, a.kind) for a in dataset.attributes] == [
        ("tone", "demographic"),
        ("mood", "label"),
        ("shot", "batch"),
    ]
    assert any('not used: "race"' in note for note in dataset.notes)


def test_well_known_columns_are_recognised_by_kind(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path, "file,Session,Emotion,Sex,Skin Tone", "a.jpg,1,happy,f,III"
    )

    assert [(a.name, a.kind) for a in dataset.attributes] == [
        ("sex", "demographic"),
        ("skin_tone", "demographic"),
        ("emotion", "label"),
        ("session", "batch"),
    ]


def test_empty_cells_and_words_for_missing_are_not_annotated(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path, "file,race,age", "a.jpg,,", "b.jpg,NA,30", "c.jpg,None,nan", "d.jpg,x,"
    )

    assert words(dataset, "race") == {"a.jpg": None, "b.jpg": None, "c.jpg": None, "d.jpg": "x"}
    assert known(dataset.ages).tolist() == [-1, 30, -1, -1]
    assert dataset.attribute("race").unsaid == (("NA", 1), ("None", 1))
    assert dataset.rejects == ()


def test_a_recognised_column_that_is_empty_is_left_out_with_a_note(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,race,colour", "a.jpg,,red")

    assert dataset.attributes == ()
    assert any('"race"' in note and "empty" in note for note in dataset.notes)


def test_a_table_of_paths_alone_says_that_it_has_no_labels(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,colour", "a.jpg,red")

    assert dataset.attributes == ()
    assert any("only clusters" in note for note in dataset.notes)


def test_a_recognised_column_with_too_many_values_is_left_out(tmp_path: Path) -> None:
    plant(tmp_path, "f0.jpg")
    lines = [f"f{i}.jpg,{i}" for i in range(33_000)]
    table = plant_table(tmp_path, "t.csv", ["file,subject", *lines])

    dataset = load_dataset(table)

    assert dataset.attributes == ()
    assert any("33,000 values" in note for note in dataset.notes)
    with pytest.raises(ConfigError, match="33,000 values"):
        load_dataset(table, AuditConfig.of(batch=(("person", "subject"),)))


def test_other_tables_in_the_folder_are_said(tmp_path: Path) -> None:
    plant(tmp_path, "val.csv")

    dataset = read_beside_faces(tmp_path, "file,race", "a.jpg,x")

    assert any('"val.csv"' in note for note in dataset.notes)


@pytest.mark.parametrize("setting", ["path_column", "age_column", "group", "label", "batch"])
def test_a_column_that_does_not_exist_is_refused_with_those_that_do(
    tmp_path: Path, setting: str
) -> None:
    asked = "nope" if setting.endswith("column") else (("x", "nope"),)

    with pytest.raises(ConfigError, match='no column "nope"; its columns are "file", "race"'):
        read_beside_faces(
            tmp_path, "file,race", "a.jpg,White", config=AuditConfig.of(**{setting: asked})
        )


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        (["picture,race", "a.jpg,White"], '"picture", "race"', "--path-column"),
        (["file,race, race", "a.jpg,White,Black"], 'more than one column "race"', "Rename"),
    ],
)
def test_a_table_that_names_no_path_or_a_column_twice_is_refused(
    tmp_path: Path, lines: list[str], message: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_beside_faces(tmp_path, *lines)

    assert hint in caught.value.hint


def test_two_attributes_of_one_name_are_refused(tmp_path: Path) -> None:
    config = AuditConfig.of(group=(("x", "race"),), batch=(("x", "cam"),))

    with pytest.raises(ConfigError, match='attribute "x"'):
        read_beside_faces(tmp_path, "file,race,cam", "a.jpg,White,1", config=config)


@pytest.mark.parametrize(
    ("content", "message"), [(b" \n", "is empty"), (b"file,race\n", "None of the 0 lines")]
)
def test_a_table_without_rows_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    plant(plant(tmp_path, "a.jpg"), "t.csv", content=content)

    with pytest.raises(DatasetError, match=message):
        load_dataset(tmp_path / "t.csv")


def test_what_a_spreadsheet_did_to_age_groups_is_undone_with_a_note(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,age", "a.jpg,9-Mar", "b.jpg,19-Oct", "c.jpg,3-9")

    assert words(dataset, "age_bin") == {"a.jpg": "3-9", "b.jpg": "10-19", "c.jpg": "3-9"}
    assert dataset.attribute("age_bin").categories == ("3-9", "10-19")
    assert sum("spreadsheet" in note for note in dataset.notes) == 2
    assert dataset.rejects == ()


def test_numeric_ages_become_years_and_bins(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path, "file,Age,race", "a.jpg,2,x", "b.jpg,71.5,x", "c.jpg,300,x"
    )

    assert known(dataset.ages).tolist() == [2, 71, -1]
    assert words(dataset, "age_bin") == {"a.jpg": "0-2", "b.jpg": "70+", "c.jpg": None}
    assert reasons(dataset) == [("line 4", "age_out_of_range")]


def test_an_age_that_is_no_age_is_a_reject(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,age", "a.jpg,20", "b.jpg,21", "c.jpg,20-29")

    assert known(dataset.ages).tolist() == [20, 21, -1]
    assert reasons(dataset) == [("line 4", "age_unreadable")]


def test_an_age_column_asked_for_must_hold_ages(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither ages in years nor age groups"):
        read_beside_faces(
            tmp_path, "file,born", "a.jpg,long ago", config=AuditConfig.of(age_column="born")
        )


def test_age_words_nobody_asked_for_are_an_attribute_like_any_other(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,age", "a.jpg,adult", "b.jpg,child")

    assert words(dataset, "age") == {"a.jpg": "adult", "b.jpg": "child"}
