"""A tuning holds for what it was found on, and for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_audit.bench.tuning import (
    TUNING,
    Tuning,
    TuningKey,
    find_tuning,
    read_tunings,
    remember_tuning,
    tuning_key,
)
from fer_audit.embed.session import runtime_version
from fer_audit.embed.types import CPU
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError

KEY = TuningKey("a" * 64, CPU, "fp32", "1.30.0", "A CPU", 4)
FOUND = Tuning(KEY, threads=3, images_per_second=51.5)


def test_what_is_remembered_is_found_again(tmp_path: Path) -> None:
    assert find_tuning(tmp_path, KEY) is None

    path = remember_tuning(tmp_path, FOUND)

    assert path == tmp_path / TUNING
    assert find_tuning(tmp_path, KEY) == FOUND


@pytest.mark.parametrize(
    "other",
    [
        {"source_sha256": "b" * 64},
        {"provider": "CUDAExecutionProvider"},
        {"precision": "int8"},
        {"onnxruntime": "1.31.0"},
        {"cpu": "Another CPU"},
        {"usable_cores": 2},
    ],
)
def test_anything_else_in_the_key_is_another_machine(
    tmp_path: Path, other: dict[str, str]
) -> None:
    remember_tuning(tmp_path, FOUND)

    assert find_tuning(tmp_path, replace(KEY, **other)) is None  # type: ignore[arg-type]  # one field at a time


def test_two_models_are_kept_side_by_side_and_the_newer_of_one_wins(tmp_path: Path) -> None:
    other = replace(FOUND, key=replace(KEY, precision="int8"), threads=4)
    newer = replace(FOUND, threads=2)
    for each in (FOUND, other, newer):
        remember_tuning(tmp_path, each)

    assert set(read_tunings(tmp_path)) == {other, newer}


def documents() -> list[str]:
    good = {
        "schema": "fer-audit/tuning/1",
        "tunings": [
            {
                "key": {name: getattr(KEY, name) for name in TuningKey.__slots__},
                "threads": 3,
                "images_per_second": 51.5,
            }
        ],
    }
    entry = good["tunings"][0]
    assert isinstance(entry, dict)
    wrong = [
        {**good, "schema": "fer-audit/tuning/9"},
        {**good, "tunings": [{**entry, "threads": 0}]},
        {**good, "tunings": [{**entry, "threads": "3"}]},
        {**good, "tunings": [{**entry, "threads": True}]},
        {**good, "tunings": [{**entry, "colour": "red"}]},
        {**good, "tunings": [{**entry, "key": {}}]},
        {**good, "tunings": 3},
        {"schema": "fer-audit/tuning/1"},
        [],
        None,
    ]
    return ["", "{", *map(json.dumps, wrong)]


@pytest.mark.parametrize("text", documents())
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / TUNING).write_text(text)

    with pytest.raises(StoreError, match="cannot be read") as caught:
        find_tuning(tmp_path, KEY)

    assert "--autotune" in caught.value.hint


def test_a_damaged_file_is_replaced_when_something_is_remembered(tmp_path: Path) -> None:
    (tmp_path / TUNING).write_text("{")

    remember_tuning(tmp_path, FOUND)

    assert read_tunings(tmp_path) == (FOUND,)


def test_the_key_is_of_this_machine_this_model_and_this_precision(
    tiny_model: ExportedModel,
) -> None:
    key = tuning_key(tiny_model, "int8", CPU)

    assert (key.source_sha256, key.precision) == (tiny_model.sha256, "int8")
    assert (key.provider, key.onnxruntime) == (CPU, runtime_version())
    assert key.cpu
    assert key.usable_cores >= 1
