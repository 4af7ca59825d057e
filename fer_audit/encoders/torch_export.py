"""torchvision's ResNet50 through torch.onnx.export, with the same input and output as every other encoder.

Needs the extra `export`. Nothing else of fer-audit needs torch.
"""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_audit.encoders.network import INPUT_NAME, OPSET, OUTPUT_NAME
from fer_audit.encoders.types import ModelSpec
from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

EXPORT_HINT = "pip install 'fer-audit[export]'; in a checkout: pip install '.[export]'"


def export_torchvision(spec: ModelSpec, source: Path | None) -> onnx.ModelProto:
    """Return torchvision's ResNet50 without its classifier as an ONNX graph.

    `source` is a .safetensors file of its state dict; None lets torchvision fetch and check its own weights.
    A user's .pth is never opened: unpickling it would run it.
    """
    models = import_torchvision_models()
    if source is None:
        try:
            network = models.resnet50(weights=models.ResNet50_Weights.IMAGENET1K_V2)
        except (OSError, RuntimeError) as exc:
            raise ModelError(
                f"torchvision could not fetch its ResNet50 weights: {exc}",
                hint="Give them as a file: fer-audit export --model resnet50-tv --from resnet50.safetensors",
            ) from exc
    else:
        network = models.resnet50(weights=None)
        try:
            network.load_state_dict(_read_safetensors(source))
        except RuntimeError as exc:
            raise ModelError(f"{source} does not hold torchvision's ResNet50: {exc}") from exc
    return export_network(network, spec)


def import_torchvision_models() -> Any:  # noqa: ANN401 - a module without types
    """Import torchvision.models, also where torch is of another build than torchvision expects.

    torchvision registers Python implementations for two operators that its C++ library declares; where that library does
    not load, the import fails on them. Declaring the two schemas is enough: classifiers use neither.
    """
    try:
        import torch
    except ImportError as exc:
        raise ModelError("torch is not installed", hint=EXPORT_HINT) from exc
    try:
        from torchvision import models
    except ImportError as exc:
        raise ModelError("torchvision is not installed", hint=EXPORT_HINT) from exc
    except RuntimeError as exc:
        if "torchvision::nms" not in str(exc):
            raise ModelError(f"torchvision cannot be imported: {exc}", hint=EXPORT_HINT) from exc
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        from torchvision import models

        models._fer_audit_library = library  # the schemas live as long as this object
    return models


def _read_safetensors(path: Path) -> Any:  # noqa: ANN401 - a state dict
    if path.suffix != ".safetensors":
        raise ModelError(
            f"{path} is not a .safetensors file",
            hint="A .pth is a pickle, and opening one runs it. Convert it with the package safetensors.",
        )
    try:
        from safetensors.torch import load_file

        return load_file(path)
    except ImportError as exc:
        raise ModelError("safetensors is not installed", hint=EXPORT_HINT) from exc
    except Exception as exc:  # safetensors raises its own untyped error
        raise ModelError(f"Cannot read {path}: {exc}") from exc


def export_network(network: Any, spec: ModelSpec) -> onnx.ModelProto:  # noqa: ANN401 - a torch module
    """Return a torchvision ResNet (anything whose last layer is `fc`) as uint8 NHWC RGB -> (batch, dim)."""
    import onnx
    import torch

    network.fc = torch.nn.Identity()

    class Encoder(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        """Bytes in, features out: the preprocessing is part of the graph."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.register_buffer("mean", torch.tensor(spec.mean).reshape(1, 3, 1, 1))
            self.register_buffer("scale", torch.tensor(spec.scale).reshape(1, 3, 1, 1))

        def forward(self, images: Any) -> Any:  # noqa: ANN401 - tensors
            """Normalise and embed."""
            floats = images.permute(0, 3, 1, 2).to(torch.float32)
            return self.network((floats - self.mean) * self.scale)

    buffer = io.BytesIO()
    example = torch.zeros((2, spec.size, spec.size, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter deprecates its own options
        torch.onnx.export(
            Encoder().eval(),
            (example,),
            buffer,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_axes={INPUT_NAME: {0: "batch"}, OUTPUT_NAME: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return model
