"""Class folders, splits and what lies between."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.dataset.formats.folder import is_expression, is_split
from fer_audit.dataset.load import load_dataset
from tests.dataset.trees import plant, reasons, words


def test_class_folders_named_like_expressions_are_expressions(tmp_path: Path) -> None:
    dataset = load_dataset(
        plant(tmp_path, "happy/1.jpg", "Sad/1.jpg", "neutral/1.jpg", "odd/1.jpg")
    )

    (attribute,) = dataset.attributes
    assert (attribute.name, attribute.kind) == ("expression", "label")
    assert attribute.categories == ("happy", "neutral", "odd", "Sad")
    assert words(dataset, "expression")["Sad/1.jpg"] == "Sad"
    assert dataset.ages is None
    assert "class folders" in dataset.label_source


def test_other_class_folders_are_classes_in_natural_order(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "10/a.jpg", "9/a.jpg", "1/a.jpg"))

    assert dataset.attribute("class").categories == ("1", "9", "10")


def test_splits_above_the_classes_are_a_batch(tmp_path: Path) -> None:
    dataset = load_dataset(
        plant(tmp_path, "train/happy/1.jpg", "test/happy/2.jpg", "test/sad/3.jpg")
    )

    assert [(a.name, a.kind) for a in dataset.attributes] == [
        ("expression", "label"),
        ("split", "batch"),
    ]
    assert words(dataset, "split")["test/sad/3.jpg"] == "test"
    assert words(dataset, "expression")["test/sad/3.jpg"] == "sad"


def test_other_folders_above_the_classes_are_a_batch_called_folder(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "S1/a/happy/1.jpg", "S2/b/sad/2.jpg"))

    assert words(dataset, "folder") == {"S1/a/happy/1.jpg": "S1", "S2/b/sad/2.jpg": "S2"}
    assert words(dataset, "expression") == {"S1/a/happy/1.jpg": "happy", "S2/b/sad/2.jpg": "sad"}


def test_a_folder_that_wraps_everything_says_nothing(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "CK+48/happy/1.jpg", "CK+48/sad/2.jpg"))

    assert [a.name for a in dataset.attributes] == ["expression"]


def test_splits_without_classes_are_only_a_batch(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "train/1.jpg", "val/2.jpg"))

    assert [a.name for a in dataset.attributes] == ["split"]
    assert "only clusters" in dataset.notes[0]


def test_one_class_alone_is_still_a_class(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "happy/1.jpg", "happy/2.jpg"))

    assert dataset.attribute("expression").counts().tolist() == [2]


def test_a_flat_folder_has_no_labels_and_says_so(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "1.jpg", "2.jpg"))

    assert dataset.attributes == ()
    assert dataset.rejects == ()
    assert "no labels" in dataset.notes[0]
    assert dataset.label_source == "There are no labels."


def test_an_image_outside_the_class_folders_is_not_annotated(tmp_path: Path) -> None:
    dataset = load_dataset(
        plant(tmp_path, "train/happy/1.jpg", "train/2.jpg", "3.jpg", "test/sad/4.jpg")
    )

    assert words(dataset, "expression")["train/2.jpg"] is None
    assert words(dataset, "split")["train/2.jpg"] == "train"
    assert words(dataset, "split")["3.jpg"] is None
    assert reasons(dataset) == [("3.jpg", "no_class_folder"), ("train/2.jpg", "no_class_folder")]


@pytest.mark.parametrize("word", ["Anger", "0_angry", "1-happy", "surprise", "SAD", "fear2"])
def test_numbering_and_case_do_not_hide_an_expression(word: str) -> None:
    assert is_expression(word)


@pytest.mark.parametrize("word", ["train", "Training", "val", "PublicTest", "train_set"])
def test_splits_are_known_by_name(word: str) -> None:
    assert is_split(word)
    assert not is_expression(word)
