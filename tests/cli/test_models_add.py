"""`models add`: what it asks, what it says, and what leads to it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import Call
from tests.foreign_graphs import SIZE, Drawn


def test_the_command_says_what_it_understood_on_an_image_of_the_users(
    fer_audit: Call, tmp_path: Path
) -> None:
    path = Drawn().save(tmp_path / "my net.onnx")
    Image.fromarray(np.zeros((SIZE, SIZE, 3), np.uint8)).save(tmp_path / "face.png")
    words = ["models", "add", path, "--models-dir", tmp_path / "models", "--colour", "RGB"]

    unknown = fer_audit("run", "--model", path, "--out", tmp_path / "run")
    asked = fer_audit(*words)
    done = fer_audit(
        *(*words, "--mean", "127.5", "--scale", "1/64", "--classes", "race=A,B;gender=C,D;age"),
        *("--image", tmp_path / "face.png"),
    )

    assert unknown.code == 2
    assert f"fer-audit models add {path}" in unknown.err
    assert asked.code == 2
    assert "--mean and --scale" in asked.err
    assert done.code == 0, done.err
    for part in ("fed RGB 12 x 12 NCHW", "race: logits", "On face.png it says", "my-net.onnx"):
        assert part in done.out, part
    classifier = fer_audit(
        "run", "--model", tmp_path / "models" / "my-net.onnx", "--out", tmp_path / "run"
    )
    assert classifier.code == 2
    assert "nothing to cluster" in classifier.err


def test_what_was_imported_is_listed_and_asked_by_its_name(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path, tmp_path: Path
) -> None:
    path = Drawn(width=3).save(tmp_path / "mine.onnx")
    there = ["--models-dir", tmp_path / "models"]
    feed = ["--colour", "RGB", "--mean", "0", "--scale", "1/64"]

    added = fer_audit("models", "add", path, *there, *feed, "--classes", "happy,sad,angry")
    listed = fer_audit("models", *there)
    records = json.loads(fer_audit("models", *there, "--json").out)
    twice = fer_audit("run", faces, *quick, *there, "--predict", "mine,mine")
    run = fer_audit("run", faces, *quick, *there, "--predict", "mine", "--quiet")

    assert "expression: logits" in added.out
    assert "fer-audit run DATASET --predict" in added.out
    encoders, classifiers = listed.out.split("Classifiers, for --predict:")
    assert "resnet50-keras " in encoders
    assert "mine" in classifiers
    assert records[-1]["name"] == "mine"
    assert records[-1]["task"] == "classify"
    assert twice.code == 2
    assert run.code == 0, run.err
    assert "mine" in json.loads((run_dir / "DONE.json").read_text())["fingerprints"]["predictions"]


def test_nothing_is_written_for_an_image_that_is_not_there_and_what_is_replaced_is_said(
    fer_audit: Call, tmp_path: Path
) -> None:
    there = tmp_path / "models"
    words = ["models", "add", Drawn().save(tmp_path / "mine.onnx"), "--models-dir", there]
    words += ["--colour", "RGB", "--mean", "0", "--task", "embed", "--scale"]

    missing = fer_audit(*words, "1/64", "--image", tmp_path / "no.png")
    assert (missing.code, there.exists()) == (3, False)

    assert "replaces" not in fer_audit(*words, "1/64").out + fer_audit(*words, "1/64").out
    first = hashlib.sha256((there / "mine.onnx").read_bytes()).hexdigest()
    assert f"replaces mine (sha256 {first})" in fer_audit(*words, "1/32").out.splitlines()
    wrong = fer_audit(*words, "1/64", "--layout", "NHWC")
    assert wrong.code == 2
    assert "takes any x 3 x 12 x 12, which is NCHW; --layout says NHWC" in wrong.err
