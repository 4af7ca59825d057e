"""inspect and datasets: what would be read, and what can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_audit.dataset.formats.registry import FORMATS
from tests.cli.conftest import Call
from tests.dataset.trees import plant, plant_table

HEADER = "file,age,gender,race,subject"


@pytest.fixture
def fairface(tmp_path: Path) -> Path:
    """Give a set of two images, one of them missing, of which none could be decoded."""
    root = tmp_path / "fairface"
    plant(root, "train/1.jpg")
    lines = [HEADER, "train/1.jpg,3-9,Male,White,NA", "train/2.jpg,0-2,unknown,Black,b"]
    plant_table(root, "fairface_label_train.csv", lines)
    return root


def test_inspect_says_what_would_be_read_and_opens_no_image(
    fer_audit: Call, fairface: Path
) -> None:
    done = fer_audit("inspect", fairface)

    assert (done.code, done.err) == (0, "")
    first, *others = done.out.splitlines()
    assert first == "fairface: 2 images, read as fairface"
    assert "  1 image is not there" in others
    assert "  gender: Male 100.0 %; 1 not annotated" in others
    assert "  subject (subject): 2 subjects" in others


def test_inspect_as_json_has_every_count(fer_audit: Call, fairface: Path) -> None:
    facts = json.loads(fer_audit("inspect", fairface, "--json").out)

    assert (facts["images"], facts["found"], facts["layout"]) == (2, 1, "fairface")
    by_name = {each["name"]: each for each in facts["attributes"]}
    assert by_name["race"]["groups"] == {"Black": 1, "White": 1}
    assert by_name["gender"]["words_for_missing"] == {"unknown": 1}
    assert by_name["split"]["kind"] == "split"


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (["file,age", "0.jpg,0", "1.jpg,8"], 2, "--age-codes fairface"),
        (["<!doctype html>", "<p>Sign in"], 3, "is an HTML page"),
    ],
)
def test_inspect_asks_for_a_decision_with_2_and_has_no_set_with_3(
    fer_audit: Call, tmp_path: Path, lines: list[str], code: int, words: str
) -> None:
    plant(tmp_path, "0.jpg", "1.jpg")

    done = fer_audit("inspect", plant_table(tmp_path, "labels.csv", lines))

    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_codes_and_ages_are_named_as_asked(fer_audit: Call, tmp_path: Path) -> None:
    plant(tmp_path, "0.jpg", "1.jpg")
    table = plant_table(tmp_path, "t.csv", ["file,age,race", "0.jpg,0,0", "1.jpg,8,1"])

    done = fer_audit(
        "inspect", table, "--age-codes", "fairface", "--names", "race=0:White,1:Black"
    )

    assert "  race: Black 50.0 %, White 50.0 %" in done.out
    assert "  age group: 0-2 50.0 %, 70+ 50.0 %" in done.out


def test_datasets_lists_every_layout(fer_audit: Call) -> None:
    shown = fer_audit("datasets").out
    listed = json.loads(fer_audit("datasets", "--json").out)

    assert [each["name"] for each in listed] == [form.name for form in FORMATS]
    assert all(form.title in shown for form in FORMATS)
