"""`models add`: what it asks, what it says, and what leads to it."""

from __future__ import annotations

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
