"""Precisions and devices, from the command line to the vectors. CPU sessions stand for the devices of a machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_audit.config import AuditConfig, Resources
from fer_audit.embed.session import open_sessions
from fer_audit.embed.types import CPU, Place
from fer_audit.encoders.half import to_half
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError
from fer_audit.pack import build
from fer_audit.pipeline import model as opening
from fer_audit.pipeline import run_audit
from tests.drawings import draw_faces
from tests.graphs import convolution_graph

ROWS = 8


def embed(
    source: Path, out: Path, cache: Path, model: ExportedModel, *, device: str = "cpu"
) -> bytes:
    run_audit(
        source,
        out,
        config=AuditConfig.of(model=str(model.path), batch_size=3),
        resources=Resources(cache_dir=cache, device=device, threads=1),
        until="embed",
    )
    return (out / "embeddings.npy").read_bytes()


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_run_over_several_devices_gives_the_bytes_of_one(
    convolutions: ExportedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """26 images are four shards: with three devices one takes two, and of five only four are opened."""
    monkeypatch.setattr("fer_audit.pack.types.SHARD_ROWS", ROWS)
    monkeypatch.setattr(build, "SHARD_ROWS", ROWS)
    source = draw_faces(tmp_path / "more-faces", 26)
    wanted = embed(source, tmp_path / "one", tmp_path / "cache1", convolutions)
    opened: list[int] = []

    def counting(model: ExportedModel, place: Place, **more: int) -> object:
        opened.append(len(place.devices))
        return open_sessions(model, place, **more)

    monkeypatch.setattr(opening, "choose_place", lambda _: Place(CPU, (0,) * count))
    monkeypatch.setattr(opening, "open_sessions", counting)

    found = embed(source, tmp_path / "many", tmp_path / "cache2", convolutions)

    assert opened == [min(count, 4)]
    assert found == wanted


def test_fp16_on_a_cpu_is_refused_before_a_file_is_decoded(
    faces: Path, tmp_path: Path, decoded: list[str], convolutions: ExportedModel
) -> None:
    model = save_model(
        to_half(convolution_graph()), convolutions.spec, "fp16", tmp_path / "half.onnx"
    )
    refusal = "is fp16, which the CPU provider would convert"
    with pytest.raises(ModelError, match=refusal) as caught:
        embed(faces, tmp_path / "out", tmp_path / "cache", model)

    assert "fp16 is for CUDA" in caught.value.hint
    assert not decoded


def test_fp16_on_a_cpu_is_refused_before_a_network_is_built(faces: Path, tmp_path: Path) -> None:
    places = Resources(cache_dir=tmp_path / "cache", models_dir=tmp_path / "models", device="cpu")
    config = AuditConfig.of(model="resnet50-random", precision="fp16")

    with pytest.raises(ModelError, match="resnet50-random is fp16"):
        run_audit(faces, tmp_path / "out", config=config, resources=places)

    assert not (tmp_path / "models").exists()


RUN = """
import sys
from fer_audit.cli import main
try:
    main()
finally:
    print(*(name for name in sys.modules if "int8" in name or name.endswith("quantized")))
"""


def test_a_run_in_fp32_imports_nothing_of_int8(
    faces: Path, tmp_path: Path, convolutions: ExportedModel
) -> None:
    words = ["embed", str(faces), "--model", str(convolutions.path), "--device", "cpu", "--quiet"]
    places = ["--out", str(tmp_path / "out"), "--cache-dir", str(tmp_path / "cache")]

    done = subprocess.run(
        [sys.executable, "-c", RUN, *words, *places], capture_output=True, text=True, check=True
    )

    assert (tmp_path / "out" / "embeddings.npy").exists()
    assert done.stdout.splitlines()[-1] == ""
