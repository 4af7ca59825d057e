"""Sets whose labels lie in several tables: FairFace, Adience, AffectNet's lists of 2017, Hugging Face's ImageFolder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_audit.dataset.load import load_dataset
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.trees import plant, plant_table, reasons, words

FAIRFACE = "file,age,gender,race,service_test"


@pytest.mark.parametrize("deeper", ["", "fairface-img-margin025-trainval/"])
def test_fairface_is_read_from_both_tables_also_one_folder_off(
    tmp_path: Path, deeper: str
) -> None:
    plant(tmp_path, *(f"{deeper}{name}" for name in ("train/1.jpg", "train/2.jpg", "val/1.jpg")))
    plant_table(
        tmp_path,
        "fairface_label_train.csv",
        [
            FAIRFACE,
            "train/1.jpg,3-9,Male,East Asian,True",
            "train/2.jpg,more than 70,Female,White,True",
        ],
    )
    plant_table(tmp_path, "fairface_label_val.csv", [FAIRFACE, "val/1.jpg,0-2,Female,Black,False"])

    dataset = load_dataset(tmp_path)

    ids = [f"{deeper}{name}" for name in ("train/1.jpg", "train/2.jpg", "val/1.jpg")]
    assert dataset.format == "fairface"
    assert list(dataset.ids) == ids
    assert words(dataset, "race") == dict(zip(ids, ("East Asian", "White", "Black"), strict=True))
    assert words(dataset, "age_bin") == dict(zip(ids, ("3-9", "70+", "0-2"), strict=True))
    assert words(dataset, "split") == dict(zip(ids, ("train", "train", "val"), strict=True))
    assert dataset.attribute("split").kind == "split"


def test_a_row_of_train_is_never_given_an_image_of_val(tmp_path: Path) -> None:
    """Only val/ was downloaded: train/1.jpg has the name of an image there, and is not it."""
    plant(tmp_path, "pictures/val/1.jpg")
    plant_table(
        tmp_path, "fairface_label_train.csv", [FAIRFACE, "train/1.jpg,3-9,Male,White,True"]
    )
    plant_table(tmp_path, "fairface_label_val.csv", [FAIRFACE, "val/1.jpg,0-2,Female,Black,True"])

    dataset = load_dataset(tmp_path)

    assert words(dataset, "race") == {"pictures/val/1.jpg": "Black", "train/1.jpg": "White"}
    assert dataset.source.there.tolist() == [True, False]


def test_adience_is_read_by_fold_with_its_users_as_subjects(tmp_path: Path) -> None:
    header = "user_id\toriginal_image\tface_id\tage\tgender\tx"
    plant_table(tmp_path, "fold_0_data.txt", [header, "7@N00\ta_o.jpg\t1\t(25, 32)\tf\t0"])
    plant_table(
        tmp_path,
        "fold_1_data.txt",
        [header, "8@N01\tb_o.jpg\t2\t(25, 23)\tm\t0", "8@N01\tc_o.jpg\t3\tNone\tu\t0"],
    )
    faces = ("7@N00/landmark_aligned_face.1.a_o.jpg", "8@N01/landmark_aligned_face.2.b_o.jpg")
    third = "8@N01/landmark_aligned_face.3.c_o.jpg"
    plant(tmp_path / "aligned", *faces, third)

    dataset = load_dataset(tmp_path)

    ids = [f"aligned/{name}" for name in (*faces, third)]
    assert words(dataset, "age_bin") == dict(zip(ids, ("25-32", None, None), strict=True))
    assert words(dataset, "gender") == dict(zip(ids, ("female", "male", None), strict=True))
    assert words(dataset, "subject") == dict(zip(ids, ("7@N00", "8@N01", "8@N01"), strict=True))
    assert dataset.attribute("split").categories == ("fold_0_data", "fold_1_data")
    assert reasons(dataset) == [("fold_1_data.txt line 2", "age_unreadable")]


def test_affectnets_lists_are_read_with_and_without_a_header(tmp_path: Path) -> None:
    header = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    plant(tmp_path, "Manually_Annotated_Images/1/a.jpg", "Manually_Annotated_Images/1/b.jpg")
    lists = tmp_path / "Manually_Annotated_file_lists"
    lists.mkdir()
    plant_table(lists, "training.csv", [header, "1/a.jpg,0,0,9,9,1;2,1,.5,.1"])
    plant_table(lists, "validation.csv", ["1/b.jpg,0,0,9,9,1;2,10,-2,-2"])

    dataset = load_dataset(tmp_path)

    assert list(words(dataset, "expression").values()) == ["Happiness", None]
    assert dataset.attribute("expression").unsaid == (("No-Face", 1),)
    assert list(words(dataset, "split").values()) == ["training", "validation"]


def test_imagefolder_paths_are_relative_to_their_metadata(tmp_path: Path) -> None:
    for split, gender in (("train", "Male"), ("test", "Female")):
        plant(tmp_path, f"{split}/img/1.jpg")
        line = json.dumps({"file_name": "img/1.jpg", "gender": gender, "age": 30.0})
        plant_table(tmp_path / split, "metadata.jsonl", [line, "no json"])

    dataset = load_dataset(tmp_path)

    assert words(dataset, "gender") == {"test/img/1.jpg": "Female", "train/img/1.jpg": "Male"}
    assert words(dataset, "split") == {"test/img/1.jpg": "test", "train/img/1.jpg": "train"}
    assert dataset.ages is not None
    assert dataset.ages.tolist() == [30, 30]
    assert [reason for _, reason in reasons(dataset)] == ["line_is_no_json_object"] * 2


def test_a_name_that_fits_two_images_is_an_error_that_shows_both(tmp_path: Path) -> None:
    plant(tmp_path, "a/0.jpg", "b/0.jpg")
    plant_table(tmp_path, "labels.csv", ["image,race", "0.jpg,x"])

    with pytest.raises(ConfigError, match=r'"a/0\.jpg" and "b/0\.jpg"') as caught:
        load_dataset(tmp_path)

    assert "--images" in caught.value.hint


@pytest.mark.parametrize("codes", [range(9), (1, 0, 2)])
def test_ages_that_may_be_codes_are_asked_about(tmp_path: Path, codes: range) -> None:
    names = [f"{n}.jpg" for n in codes]
    plant(tmp_path, *names)
    plant_table(
        tmp_path,
        "t.csv",
        ["file,age", *(f"{name},{n}" for name, n in zip(names, codes, strict=True))],
    )

    with pytest.raises(ConfigError, match="codes of age groups") as caught:
        load_dataset(tmp_path)

    assert "--age-codes fairface" in caught.value.hint


def test_a_known_table_without_its_header_is_refused(tmp_path: Path) -> None:
    plant_table(tmp_path, "fairface_label_train.csv", ["train/1.jpg"])

    with pytest.raises(DatasetError, match='no column "file"'):
        load_dataset(tmp_path)
