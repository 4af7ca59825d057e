"""torchvision's ResNet50 through our exporter answers what torch answers. Needs the extra `export`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.catalog import catalog_entry
from fer_audit.encoders.sidecar import check_graph, load_model, save_model
from fer_audit.encoders.torch_export import (
    export_network,
    export_torchvision,
    import_torchvision_models,
)
from fer_audit.errors import ModelError

SPEC = dataclasses.replace(catalog_entry("resnet50-tv").spec, size=64)
"""64 x 64 is enough for every stride to matter, and 12 times faster."""


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)

    with pytest.raises(ModelError, match="torch is not installed") as caught:
        export_torchvision(SPEC, None)

    assert "fer-audit[export]" in caught.value.hint


@pytest.fixture(scope="module")
def torch() -> Any:  # noqa: ANN401 - a module without types
    """Give torch, or skip."""
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def network(torch: Any) -> Any:  # noqa: ANN401 - modules without types
    """Give a seeded random ResNet50 with batch statistics that are not the identity."""
    models = import_torchvision_models()
    torch.manual_seed(0)
    made = models.resnet50(weights=None)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return made.eval()


@pytest.mark.torch
def test_importing_torchvision_twice_works(torch: Any) -> None:  # noqa: ANN401 - as above
    assert import_torchvision_models() is import_torchvision_models()


@pytest.mark.torch
def test_the_exported_graph_answers_what_torch_answers(
    torch: Any,  # noqa: ANN401 - as above
    network: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    model = save_model(export_network(network, SPEC), SPEC, "fp32", tmp_path / "tv.onnx")
    check_graph(model)
    found = EmbedSession(load_model(model.path), CPU, batch_size=5).embed(images)

    pixels = torch.tensor(images).permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    spread = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    with torch.no_grad():
        wanted = network((pixels - mean) / spread).numpy()
    assert found.shape == (5, 2048)
    assert np.abs(found - wanted).max() < 1e-4 * max(1, np.abs(wanted).max())


@pytest.mark.torch
def test_another_batch_gives_the_same_rows(network: Any, tmp_path: Path) -> None:  # noqa: ANN401
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    model = save_model(export_network(network, SPEC), SPEC, "fp32", tmp_path / "tv.onnx")

    five = EmbedSession(model, CPU, batch_size=5).embed(images)
    one = EmbedSession(model, CPU, batch_size=1).embed(images[2:3])

    assert np.allclose(five[2], one[0], rtol=1e-4, atol=1e-4)


@pytest.mark.torch
def test_the_export_gives_the_same_bytes_twice(network: Any) -> None:  # noqa: ANN401 - as above
    one, two = (export_network(network, SPEC).SerializeToString() for _ in range(2))

    assert one == two


@pytest.mark.torch
def test_a_state_dict_from_safetensors_is_loaded_and_a_pickle_is_refused(
    torch: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
) -> None:
    torch_file = pytest.importorskip("safetensors.torch")
    made = import_torchvision_models().resnet50(weights=None)
    torch_file.save_file(made.state_dict(), tmp_path / "w.safetensors")

    assert export_torchvision(SPEC, tmp_path / "w.safetensors").graph.node

    with pytest.raises(ModelError, match=r"is not a \.safetensors file"):
        export_torchvision(SPEC, tmp_path / "w.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="Cannot read"):
        export_torchvision(SPEC, tmp_path / "bad.safetensors")


@pytest.mark.torch
def test_weights_of_another_network_are_a_model_error(torch: Any, tmp_path: Path) -> None:  # noqa: ANN401
    torch_file = pytest.importorskip("safetensors.torch")
    torch_file.save_file({"x": torch.zeros(3)}, tmp_path / "w.safetensors")

    with pytest.raises(ModelError):
        export_torchvision(SPEC, tmp_path / "w.safetensors")
