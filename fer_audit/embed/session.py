"""The only door to ONNX Runtime: which provider, how many threads, and proof of what was really loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import Device
from fer_audit.cores import usable_cores
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

INSTALL_HINT = "pip install 'fer-audit[cpu]', or 'fer-audit[gpu]' on a machine with CUDA; in a checkout: pip install '.[cpu]'."


def _onnxruntime() -> Any:  # noqa: ANN401 - a module without types
    """Import onnxruntime; fer_audit/__init__.py has switched its telemetry off by then."""
    try:
        import onnxruntime
    except ImportError as exc:
        raise ModelError("onnxruntime is not installed", hint=INSTALL_HINT) from exc
    if not hasattr(onnxruntime, "InferenceSession"):
        raise ModelError(
            "onnxruntime is installed but empty: its wheel was overwritten or removed",
            hint="pip uninstall onnxruntime onnxruntime-gpu, then install one of the two again.",
        )
    return onnxruntime


def runtime_version() -> str:
    """Return onnxruntime's version."""
    return str(_onnxruntime().__version__)


def available_providers() -> list[str]:
    """Return the execution providers of the installed wheel, best first."""
    return [str(name) for name in _onnxruntime().get_available_providers()]


def choose_provider(device: Device) -> str:
    """Return the provider that `device` stands for on this machine.

    `cuda` is CUDA or a ModelError; `auto` is CUDA where the installed wheel has it, else the CPU.
    """
    available = available_providers()
    if device == "cpu":
        return CPU
    if CUDA in available:
        return CUDA
    if device == "cuda":
        raise ModelError(
            f"--device cuda: this onnxruntime has no CUDA provider (it has {', '.join(available)})",
            hint="pip uninstall onnxruntime; pip install 'fer-audit[gpu]' (in a checkout: '.[gpu]'). Or run with --device cpu.",
        )
    return CPU


class EmbedSession:
    """A loaded model: uint8 (batch, size, size, 3) in, float32 (batch, dim) out.

    Raises ModelError when the file is no such model, or when another provider than the one asked for was loaded.
    """

    def __init__(
        self, model: ExportedModel, provider: str, *, batch_size: int, threads: int | None = None
    ) -> None:
        ort = _onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.log_severity_level = 3
        if provider == CUDA:
            ort.preload_dlls()
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        try:
            self._session = ort.InferenceSession(
                str(model.path), options, providers=[_provider_options(provider)]
            )
        except Exception as exc:  # onnxruntime's exceptions share no base class
            raise ModelError(
                f"{model.path} cannot be loaded with {provider}: {exc}",
                hint="fer-audit doctor shows what this machine has.",
            ) from exc
        self.provider = str(self._session.get_providers()[0])
        if self.provider != provider:
            raise ModelError(
                f"asked for {provider}, onnxruntime loaded {self.provider}",
                hint="fer-audit doctor shows what is missing. Or run with --device cpu.",
            )
        self.batch_size = batch_size
        self.dim = model.spec.dim
        self._input, self._output = _checked_signature(self._session, model)
        self._binding = _Binding(ort, self, model.spec.size) if provider == CUDA else None

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (n, dim) vectors of n <= batch_size images; short batches are padded with black.

        Always the same shape reaches the model: another one would re-tune CUDA's convolutions and could change last bits.
        """
        n = len(pixels)
        if n < self.batch_size:
            padded = np.zeros((self.batch_size, *pixels.shape[1:]), np.uint8)
            padded[:n] = pixels
            pixels = padded
        if self._binding is not None:
            return self._binding.run(pixels)[:n]
        try:
            vectors: NDArray[np.float32] = self._session.run(
                [self._output], {self._input: pixels}
            )[0]
        except Exception as exc:  # onnxruntime's exceptions share no base class
            raise ModelError(f"The model failed on a batch of images: {exc}") from exc
        return vectors[:n]


class _Binding:
    """CUDA: one input and one output buffer on the device, reused for every batch."""

    def __init__(self, ort: Any, session: EmbedSession, size: int) -> None:  # noqa: ANN401 - no types
        self._session = session._session
        shape = (session.batch_size, size, size, 3)
        self._pixels = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, "cuda", 0)
        self._vectors = ort.OrtValue.ortvalue_from_shape_and_type(
            (session.batch_size, session.dim), np.float32, "cuda", 0
        )
        self._binding = self._session.io_binding()
        self._binding.bind_ortvalue_input(session._input, self._pixels)
        self._binding.bind_ortvalue_output(session._output, self._vectors)

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._pixels.update_inplace(np.ascontiguousarray(pixels))
        self._session.run_with_iobinding(self._binding)
        vectors: NDArray[np.float32] = self._vectors.numpy()
        return vectors


def _provider_options(provider: str) -> str | tuple[str, dict[str, str]]:
    if provider == CUDA:
        return provider, {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    return provider


def _checked_signature(session: Any, model: ExportedModel) -> tuple[str, str]:  # noqa: ANN401 - no types
    """Return the names of input and output of a graph that takes and gives what the sidecar says."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    size, dim = model.spec.size, model.spec.dim
    fits_input = (
        len(inputs) == 1
        and inputs[0].type == "tensor(uint8)"
        and list(inputs[0].shape[1:]) == [size, size, 3]
        and not isinstance(inputs[0].shape[0], int)
    )
    if not fits_input:
        got = ", ".join(f"{x.name} {x.type} {x.shape}" for x in inputs)
        raise ModelError(
            f"{model.path} takes {got}; it must take one tensor(uint8) (batch, {size}, {size}, 3), "
            "the batch of any size",
            hint="Put the preprocessing into the graph, or export it with: fer-audit export",
        )
    output = outputs[0]
    if output.type != "tensor(float)" or list(output.shape[1:]) != [dim]:
        raise ModelError(
            f"{model.path} gives {output.type} {output.shape}, the sidecar says float (batch, {dim})",
            hint="Export it again with: fer-audit export --force",
        )
    return inputs[0].name, output.name


def installed_wheels() -> list[str]:
    """Return the onnxruntime wheels that are installed; two of them overwrite each other."""
    from importlib import metadata

    names = {str(dist.metadata["Name"]).lower() for dist in metadata.distributions()}
    return sorted(names & {"onnxruntime", "onnxruntime-gpu"})
