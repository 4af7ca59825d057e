"""int8 from the command line to the report: made once for a set, compared with fp32, named in every report made with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fer_audit.cli.models import export_command
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import CUDA
from fer_audit.encoders.resnet50 import build_resnet50
from fer_audit.encoders.sidecar import load_model, save_model, sidecar_path
from fer_audit.encoders.types import Agreement
from fer_audit.errors import DatasetError, ModelError
from fer_audit.pipeline import quantized, run_audit
from fer_audit.pipeline.quantized import find_or_quantize, speed_sentence
from fer_audit.progress import Silent
from fer_audit.report.files.document import read_result
from tests.drawings import draw_faces
from tests.encoders.networks import narrow_spec, random_layers

FACES = 80


@dataclass
class Place:
    """A drawn set, a narrow network, and where things are kept."""

    faces: Path
    model: Path
    resources: Resources
    said: list[str] = field(default_factory=list)

    def config(self, **more: object) -> AuditConfig:
        return AuditConfig.of(
            **{"model": str(self.model), "precision": "int8", "permutations": 99, "bootstraps": 20}
            | more
        )

    def dataset(self, **more: object) -> FaceDataset:
        return load_dataset(self.faces, self.config(**more))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("int8")
    spec = narrow_spec("RGB", mean=(0.0, 0.0, 0.0), scale=1 / 255)
    model = save_model(build_resnet50(random_layers(), spec), spec, "fp32", folder / "narrow.onnx")
    resources = Resources(
        cache_dir=folder / "cache", models_dir=folder / "models", device="cpu", threads=1
    )
    return Place(draw_faces(folder / "faces", FACES), model.path, resources)


def test_a_model_is_made_once_for_a_set_and_says_how_near_it_is(place: Place) -> None:
    made = find_or_quantize(place.dataset(), place.config(), place.resources, Silent())
    document = json.loads(sidecar_path(made.path).read_text())
    agreement = Agreement(**document["agreement"])
    assert made.precision == "int8"
    assert made.reduced_range is document["reduced_range"]
    assert (agreement.images, agreement.calibration_images) == (FACES // 2, FACES // 2)
    assert 0 < agreement.error < 0.5
    assert 0 < agreement.cosine_min <= agreement.cosine_low <= agreement.cosine_mean <= 1
    assert agreement.speed_ratio > 0
    assert made.spec.caveat == agreement.sentence()

    written = made.path.stat().st_mtime_ns
    again = find_or_quantize(place.dataset(), place.config(), place.resources, Silent())
    assert again == made == load_model(made.path)
    assert made.path.stat().st_mtime_ns == written

    anew = find_or_quantize(place.dataset(), place.config(), place.resources, Silent(), again=True)
    assert anew.sha256 == made.sha256, "the same images give the same integers"
    leftovers = list((place.resources.cache_dir or Path()).glob("quantize/work*"))
    assert leftovers == []


def test_a_model_that_does_not_bear_8_bits_is_refused_and_not_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is moved below what rounding costs at the least; the models folder stays as it was."""
    monkeypatch.setattr(quantized, "LARGEST_ERROR", 1e-6)
    before = sorted((place.resources.models_dir or Path()).iterdir())
    part = place.dataset(first=66)
    with pytest.raises(ModelError, match="of their spread"):
        find_or_quantize(part, place.config(first=66), place.resources, Silent())
    assert sorted((place.resources.models_dir or Path()).iterdir()) == before


def test_another_set_has_another_model(place: Place) -> None:
    whole = find_or_quantize(place.dataset(), place.config(), place.resources, Silent())
    part = place.dataset(first=70)
    other = find_or_quantize(part, place.config(first=70), place.resources, Silent())
    assert whole.path != other.path


def test_every_report_says_what_int8_cost(place: Place, tmp_path: Path) -> None:
    run_audit(place.faces, tmp_path / "run", config=place.config(), resources=place.resources)
    result = read_result(tmp_path / "run" / "result.json")
    assert result.model is not None
    assert result.model.precision == "int8"
    assert "mean cosine" in result.model.caveat
    assert any(finding.text == result.model.caveat for finding in result.findings)
    assert "mean cosine" in (tmp_path / "run" / "report.html").read_text()
    vectors = np.load(tmp_path / "run" / "embeddings.npy")
    assert vectors.shape == (FACES, result.model.dim)
    assert np.isfinite(vectors).all()


def test_broken_images_are_not_calibrated_on(place: Place, tmp_path: Path) -> None:
    faces = draw_faces(tmp_path / "faces", FACES)
    for file in sorted(faces.iterdir())[:5]:
        file.write_bytes(b"no image")
    dataset = load_dataset(faces, place.config())
    made = find_or_quantize(dataset, place.config(), place.resources, Silent())
    agreement = json.loads(sidecar_path(made.path).read_text())["agreement"]
    assert agreement["images"] + agreement["calibration_images"] == FACES - 5


def test_a_set_too_small_to_calibrate_on_is_refused(place: Place) -> None:
    with pytest.raises(DatasetError, match="at least 64"):
        find_or_quantize(
            place.dataset(first=63), place.config(first=63), place.resources, Silent()
        )


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_int8_on_cuda_is_refused_before_any_work(
    device: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where `auto` would choose CUDA: the agreement would be measured on another provider than the run."""
    monkeypatch.setattr(quantized, "choose_provider", lambda _: CUDA)
    with pytest.raises(ModelError, match="no int8 convolutions"):
        find_or_quantize(place.dataset(), place.config(), Resources(device=device), Silent())


@pytest.mark.parametrize(("ratio", "word"), [(0.8, "fp32 is faster"), (1.7, "1.70 x")])
def test_what_was_gained_is_said_also_when_it_is_a_loss(ratio: float, word: str) -> None:
    agreement = Agreement(64, 64, 0.08, 0.999, 0.99, 0.98, None, ratio)
    assert word in speed_sentence(agreement, reduced_range=True)
    assert "ARI" not in agreement.sentence()


@pytest.mark.parametrize(
    "words", [["--precision", "int8"], ["--calibrate", "faces"]], ids=["alone", "without"]
)
def test_export_wants_images_for_int8_and_only_for_it(words: list[str]) -> None:
    done = CliRunner().invoke(export_command, words)
    assert done.exit_code == 2
    assert "needs --calibrate" in done.stderr


def test_export_makes_the_model_that_a_run_will_use(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = find_or_quantize(place.dataset(), place.config(), place.resources, Silent())
    done = CliRunner().invoke(
        export_command,
        [
            *("--precision", "int8", "--calibrate", str(place.faces)),
            *("--model", str(place.model), "--models-dir", str(place.resources.models_dir)),
            *("--cache-dir", str(place.resources.cache_dir), "--quiet"),
        ],
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [str(expected.path), "sha256", expected.sha256]
