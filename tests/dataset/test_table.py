"""Tables: which columns are used, and as what."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.table.columns import PATH_NAMES
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.trees import plant, plant_table, read_beside_faces, words


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


def test_latin1_is_refused_with_the_line(tmp_path: Path) -> None:
    plant(tmp_path, "a.jpg")
    (tmp_path / "t.csv").write_bytes(b"file,race\r\na.jpg,x\r\na.jpg,caf\xe9\r\n")

    with pytest.raises(ConfigError, match=r"t\.csv, line 3: byte 0xe9 is not UTF-8") as caught:
        load_dataset(tmp_path / "t.csv")

    assert caught.value.exit_code == 2
    assert "iconv" in caught.value.hint


@pytest.mark.parametrize("name", PATH_NAMES)
def test_the_path_column_is_found_by_its_usual_names_in_any_case(
    tmp_path: Path, name: str
) -> None:
    dataset = read_beside_faces(tmp_path, f"race,{name.upper().replace('_', ' ')}", "White,a.jpg")

    assert words(dataset, "race") == {"a.jpg": "White"}


def test_a_table_without_a_path_column_lists_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='"picture", "race"') as caught:
        read_beside_faces(tmp_path, "picture,race", "a.jpg,White")

    assert "--path-column" in caught.value.hint


def test_a_table_without_a_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'"a.jpg", "White"') as caught:
        read_beside_faces(tmp_path, "a.jpg,White", "b.jpg,Black")

    assert "first line" in caught.value.hint


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


@pytest.mark.parametrize(
    "config",
    [
        AuditConfig.of(path_column="nope"),
        AuditConfig.of(group=(("x", "nope"),)),
        AuditConfig.of(label=(("x", "nope"),)),
        AuditConfig.of(batch=(("x", "nope"),)),
        AuditConfig.of(age_column="nope"),
    ],
)
def test_a_column_that_does_not_exist_is_refused_with_those_that_do(
    tmp_path: Path, config: AuditConfig
) -> None:
    with pytest.raises(ConfigError, match='no column "nope"; its columns are "file", "race"'):
        read_beside_faces(tmp_path, "file,race", "a.jpg,White", config=config)


def test_two_attributes_of_one_name_are_refused(tmp_path: Path) -> None:
    config = AuditConfig.of(group=(("x", "race"),), batch=(("x", "cam"),))

    with pytest.raises(ConfigError, match='attribute "x"'):
        read_beside_faces(tmp_path, "file,race,cam", "a.jpg,White,1", config=config)


def test_a_header_that_repeats_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='more than one column "race"'):
        read_beside_faces(tmp_path, "file,race, race", "a.jpg,White,Black")


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


def test_a_table_of_paths_alone_says_that_it_has_no_labels(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,colour", "a.jpg,red")

    assert dataset.attributes == ()
    assert any("only clusters" in note for note in dataset.notes)


def test_empty_cells_are_not_annotated(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path, "file,race,age", "a.jpg,,", "b.jpg,NA,30", "c.jpg,White,nan"
    )

    assert words(dataset, "race") == {"a.jpg": None, "b.jpg": None, "c.jpg": "White"}
    assert dataset.ages is not None
    assert dataset.ages.tolist() == [-1, 30, -1]
    assert dataset.rejects == ()


def test_the_expression_none_is_a_word(tmp_path: Path) -> None:
    assert words(read_beside_faces(tmp_path, "file,label", "a.jpg,None"), "label") == {
        "a.jpg": "None"
    }


def test_a_recognised_column_that_is_empty_is_left_out_with_a_note(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,race,gender", "a.jpg,,f")

    assert [a.name for a in dataset.attributes] == ["gender"]
    assert any('"race"' in note and "empty" in note for note in dataset.notes)


def test_an_empty_table_is_an_error(tmp_path: Path) -> None:
    plant(tmp_path, "a.jpg")
    plant(tmp_path, "t.csv", content=b" \n")

    with pytest.raises(DatasetError, match="is empty"):
        load_dataset(tmp_path / "t.csv")


def test_a_table_of_a_header_alone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="None of the 0 lines"):
        read_beside_faces(tmp_path, "file,race")


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
