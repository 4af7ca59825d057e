"""Every layout in miniature, and its answer: where the folder of cases lies next to the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import FerAuditError

CASES = Path(__file__).parents[3] / "shared" / "cases"
LAYOUTS = CASES / "layouts"
ANSWERS: dict[str, Any] = (
    json.loads((LAYOUTS / "expected.json").read_text(encoding="utf-8")) if LAYOUTS.is_dir() else {}
)
ATTRIBUTES = ("race", "gender", "age_bin", "expression", "split", "subject")

pytestmark = [
    pytest.mark.cases,
    pytest.mark.skipif(not ANSWERS, reason="no folder of cases next to the checkout"),
]


def counts(dataset: FaceDataset, name: str) -> dict[str, int]:
    """Return {group in lower case: rows} of the groups that have any."""
    attribute = dataset.attribute(name)
    found = zip(attribute.categories, attribute.counts().tolist(), strict=True)
    return {group.lower(): n for group, n in found if n}


@pytest.mark.parametrize("name", [each for each in ANSWERS if each != "table_ambiguous_names"])
def test_a_layout_is_read_as_its_answer_says(name: str) -> None:
    answer = ANSWERS[name]

    dataset = load_dataset(LAYOUTS / name)

    assert len(dataset) == answer["rows"]
    assert dataset.source.there.sum() == answer.get("found", answer["rows"])
    for attribute in ATTRIBUTES:
        if attribute in answer:
            wanted = {group.lower(): n for group, n in answer[attribute].items()}
            assert counts(dataset, attribute) == wanted, attribute
    unsaid = {word: n for each in dataset.attributes for word, n in each.unsaid}
    for word, n in {
        **answer.get("not_an_expression", {}),
        **(answer["not_annotated"] if isinstance(answer.get("not_annotated"), dict) else {}),
    }.items():
        assert unsaid[word] == n, word


def test_names_that_fit_two_files_are_a_decision_of_the_user() -> None:
    with pytest.raises(FerAuditError) as caught:
        load_dataset(LAYOUTS / "table_ambiguous_names")

    assert caught.value.exit_code == 2
    assert '"a/0.jpg" and "b/0.jpg"' in str(caught.value)
    assert "--images" in caught.value.hint


ZOO = CASES / "csv-zoo"
OTHER_ANSWERS = {
    "21_missing_words.csv": ("gender", "race"),
    "22_no_header.csv": (),
    "23_dup_rows_conflict.csv": ("race", "age_bin"),
    "24_missing_files.csv": (),
}
"""File -> the columns in which it says what the control says; every other file says it in all three."""


@pytest.mark.parametrize(
    "path", sorted(ZOO.glob("*.csv")) if ANSWERS else [], ids=lambda path: path.name
)
def test_a_table_says_what_the_control_says_or_is_refused_by_name(path: Path) -> None:
    control = load_dataset(ZOO / "00_control.csv")
    number = int(path.name[:2])
    settings: dict[str, Any] = {}
    if number == 28:
        settings = {
            "age_codes": "fairface",
            "names": (("race", "hf-fairface"), ("gender", "hf-fairface")),
        }
        with pytest.raises(FerAuditError, match="codes of age groups"):
            load_dataset(path)
    if number > 28:
        with pytest.raises(FerAuditError) as caught:
            load_dataset(path)
        assert caught.value.exit_code == 3
        return

    dataset = load_dataset(path, AuditConfig.of(**settings))

    assert dataset.source.there.sum() == 60
    compared = OTHER_ANSWERS.get(path.name, ("gender", "race", "age_bin"))
    for name in compared if number != 28 else ("gender", "race"):
        found = {group.replace("_", " "): n for group, n in counts(dataset, name).items()}
        wanted = {group.replace("_", " "): n for group, n in counts(control, name).items()}
        assert found == wanted, name


@pytest.mark.parametrize(
    "path",
    sorted((CASES / "not-a-csv").glob("*.csv")) if ANSWERS else [],
    ids=lambda path: path.name,
)
def test_what_is_no_table_is_named(path: Path) -> None:
    with pytest.raises(FerAuditError) as caught:
        load_dataset(path)

    assert caught.value.exit_code == 3, str(caught.value)
